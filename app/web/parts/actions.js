/* Buttons that save a result as a file, or copy the request that made it. */

import { button, element } from "./elements.js";
import { saveCsv, saveNpy, savePng } from "./files.js";
import { enlarge } from "../results/grids.js";
import { asCurl, asPython } from "../api/snippets.js";

const SAID_MS = 1_600;

/*
 * Return a group of buttons for a result. `result()` returns {array, options, draw, rows, name, request}, or null while
 * there is none: `array` and `options` as `drawImages` takes them, unless `draw()` returns a canvas; `rows` as `saveCsv`
 * takes them, and `request` as `request` of `api/client.js` does. `actions` chooses the buttons.
 */
export function makeActions(result, label = "result", actions = ["PNG", "npy", "curl", "Python"]) {
  const status = element("span", { class: "offscreen", role: "status" });
  const group = element("div", { class: "actions", role: "group", "aria-label": `Save or copy: ${label}` }, status);
  const add = (words, name, act) => {
    if (!actions.includes(words)) return;
    const node = button(words, async () => {
      const what = result();
      flash(what ? await act(what) : "Nothing yet", node, status);
    }, { class: "quiet", "aria-label": name });
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
    const copied = document.execCommand("copy");
    area.remove();
    return copied ? "Copied" : "Not allowed";
  }
}

/* Show a word on a button for a moment, and announce it to screen readers. */
export function flash(said, node, status) {
  if (!said || status.textContent) return;
  const words = node.textContent;
  node.textContent = said;
  status.textContent = said;
  setTimeout(() => {
    node.textContent = words;
    status.textContent = "";
  }, SAID_MS);
}
