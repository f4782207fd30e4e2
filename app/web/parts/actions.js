/* Buttons that save a result as a file, or copy the request that made it. */

import { button, element } from "./elements.js";
import { saveCsv, saveNpy, savePng } from "./files.js";
import { enlarge } from "../results/grids.js";
import { asCurl, asPython } from "../api/snippets.js";

const FLASH_MS = 1_600;

/*
 * Return a group of buttons for a result. `getResult()` returns {array, options, draw, rows, name, request}, or null while
 * there is none. The picture is what `drawImages` draws from `array` and `options`, or the canvas that `draw()` returns.
 * `rows` are those of `saveCsv`, `request` that of `api/client.js`. `actions` chooses the buttons.
 */
export function makeActions(getResult, label = "result", actions = ["PNG", "npy", "curl", "Python"]) {
  const status = element("span", { class: "offscreen", role: "status" });
  const group = element("div", { class: "actions", role: "group", "aria-label": `Save or copy: ${label}` }, status);
  const add = (caption, description, act) => {
    if (!actions.includes(caption)) return;
    const node = button(caption, async () => {
      const result = getResult();
      flash(result ? await act(result) : "Nothing yet", node, status);
    }, { class: "quiet", "aria-label": description });
    group.append(node);
  };
  add("PNG", `Save ${label} as PNG`, async ({ array, name, options, draw = () => enlarge(array, options) }) =>
    savePng(await draw(), name));
  add("npy", `Save ${label} as npy`, ({ array, name }) => saveNpy(array, name));
  add("CSV", `Save ${label} as CSV`, ({ rows, name }) => saveCsv(rows, name));
  add("curl", `Copy as curl: ${label}`, ({ request }) => copy(asCurl(request)));
  add("Python", `Copy as Python: ${label}`, ({ request }) => copy(asPython(request)));
  return group;
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    // Without TLS, browsers allow the clipboard API to localhost only.
    const area = element("textarea", { class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied ? "Copied" : "Not allowed";
  }
}

/* Show a message on a button for a moment, and announce it to screen readers. */
export function flash(message, node, status) {
  if (!message || status.textContent) return;
  const label = node.textContent;
  node.textContent = message;
  status.textContent = message;
  setTimeout(() => {
    node.textContent = label;
    status.textContent = "";
  }, FLASH_MS);
}
