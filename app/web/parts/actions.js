/* Small pieces that every tab is made of: a sentence where something went wrong, and buttons that save and copy. */

import { isOvertaken } from "./client.js";
import { button, element } from "./elements.js";
import { saveCsv, saveNpy, savePng } from "./files.js";
import { enlarge } from "./grids.js";
import { asCurl, asPython } from "./snippets.js";

const SAID_MS = 1_600;

/* A place beside what may go wrong: `say(sentence)`, `clear()`, and `explain(error)`, but for what was overtaken. */
export function makeNotice() {
  const node = element("p", { class: "notice", role: "status", hidden: true });
  const say = (sentence) => {
    node.hidden = !sentence;
    if (node.textContent !== sentence) node.textContent = sentence;
  };
  return {
    node,
    say,
    clear: () => say(""),
    explain(error) {
      if (isOvertaken(error)) return;
      say(error.message);
      if (error.status === undefined) throw error;
    },
  };
}

/*
 * Buttons for a result: `result()` returns {array, options, draw, rows, name, request}, or null while there is none.
 * `array` and `options` are what `drawImages` takes, where there is no `draw()` that returns a canvas itself, `rows` is
 * what `saveCsv` takes, and `request` what `client.js` does. `actions` are those that there are.
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
    // Browsers keep the clipboard from pages that came without TLS from another machine.
    const area = element("textarea", { class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied ? "Copied" : "Not allowed";
  }
}

/* Say it on a button for a while, and in a status for those who don't see it. */
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

export function formatMs(value) {
  if (value === undefined || value === null) return "–";
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}

/* With a minus sign, which is as wide as a digit. */
export function formatNats(value) {
  return value.toFixed(1).replace("-", "−");
}
