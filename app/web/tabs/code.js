/* The installed sources side by side; a line and its counterparts light up together. */

import { request } from "../api/client.js";
import { button, choice, dot, element, field } from "../parts/elements.js";
import { introduce, titleOf } from "../api/frameworks.js";
import { copy, flash } from "../parts/actions.js";
import { about } from "../parts/glossary.js";
import { makeNotice } from "../parts/notice.js";

export const name = "code";
export const title = "Code";

const FILES = ["model.py", "losses.py", "train.py"];
const ABOUT =
  "The same model, written once per framework, with equal names in equal order. Lines that do the same stand side by " +
  "side, identical ones are dimmed, and a hatched gap means that a framework needs no such line.";
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 };

export function mount(panel, app) {
  const columns = new Map();
  let shown = null;
  let lines = [];
  let marked = null;
  const notice = makeNotice();
  const said = element("p", { class: "hint", role: "status" });
  const file = choice("code-file", FILES, (chosen) => open({ file: chosen, line: null }));
  const jump = choice("code-definition", [], (line) => mark(Number(line), { isKept: true, isMoved: true }));
  const buttons = element("div", { class: "row code-choice", role: "group", "aria-label": "Framework" });
  const place = element("div", { class: "code-columns" });

  function addColumn(framework) {
    const words = titleOf(framework);
    buttons.append(button(words, () => choose(framework), { "data-of": framework }));
    const text = element("div", { class: "code-text", role: "group", tabindex: 0, "data-of": framework });
    text.addEventListener("keydown", moveMark);
    text.addEventListener("pointermove", (event) => mark(lineAt(event.target)));
    text.addEventListener("click", (event) => mark(lineAt(event.target), { isKept: true }));
    text.addEventListener("scroll", () => follow(text));
    const status = element("span", { class: "offscreen", role: "status" });
    const saving = button("Copy", async () => flash(await copy(sourceOf(framework)), saving, status), {
      class: "quiet", "aria-label": `Copy the source for ${words}`,
    });
    const path = element("span", { class: "version" });
    columns.set(framework, { text, path });
    place.append(
      element("article", { class: `framework ${framework}`, "data-framework": framework },
        element("h3", {}, dot(framework), words, path, saving), status, text));
  }
  panel.append(
    element("section", { class: "card", "aria-label": "Code" },
      element("div", { class: "row head" },
        element("h2", {}, "One model, line by line"),
        element("div", { class: "row" },
          field("File", file),
          field("Go to", jump), about(name, ABOUT))),
      notice.node,
      buttons, said, place));

  async function open(changes) {
    app.state.set(changes);
    const wanted = FILES.includes(app.state.get("file")) ? app.state.get("file") : FILES[0];
    file.value = wanted;
    try {
      if (shown !== wanted) build((await request({ path: "/page/code", query: { file: wanted }, as: "json" })).json);
      notice.clear();
    } catch (error) {
      notice.explain(error);
      return;
    }
    const line = app.state.get("line");
    if (line !== null && lines[Number(line)]) mark(Number(line), { isMoved: true });
  }

  function build({ file: sent, frameworks: looks, definitions }) {
    // Another file was chosen meanwhile.
    if (sent !== file.value) return;
    shown = sent;
    marked = null;
    introduce(looks);
    lines = definitions.flatMap((definition) => definition.lines);
    const frameworks = new Set(lines.flatMap(({ cells }) => Object.keys(cells)));
    for (const framework of frameworks) if (!columns.has(framework)) addColumn(framework);
    choose(columns.has(app.state.get("of")) ? app.state.get("of") : first());
    let start = 0;
    jump.replaceChildren(...definitions.map((definition) => {
      const option = element("option", { value: start }, definition.id);
      start += definition.lines.length;
      return option;
    }));
    for (const [framework, { text, path }] of columns) {
      path.textContent = `training/${framework}_vae/${sent}`;
      text.setAttribute("aria-label", `${titleOf(framework)}, ${sent}. Up and down move along the lines.`);
      text.replaceChildren(element("div", { class: "code-lines" }, ...lines.map((line, at) => lineNode(line, at, framework))));
      text.scrollLeft = 0;
    }
    const same = lines.filter((line) => line.same).length;
    said.textContent = `${same} of ${lines.length} lines are identical (dimmed).`;
  }

  function mark(at, { isKept = false, isMoved = false } = {}) {
    if (!lines[at]) return;
    if (at !== marked) {
      for (const node of panel.querySelectorAll(`.code-line.lit`)) node.classList.remove("lit");
      for (const node of panel.querySelectorAll(`.code-line[data-at="${at}"]`)) node.classList.add("lit");
    }
    marked = at;
    if (isKept) app.state.set({ file: shown, line: at });
    if (isMoved) panel.querySelector(`[data-framework="${panel.dataset.of}"] .lit`).scrollIntoView({ block: "center" });
  }

  function moveMark(event) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = marked === null ? 0 : Math.min(lines.length - 1, Math.max(0, marked + step));
    mark(to, { isKept: true, isMoved: true });
    const { cells } = lines[to];
    const own = cells[event.currentTarget.dataset.of];
    said.textContent = own ? `Line ${own.number}: ${textOf(own)}` : "No such line here.";
  }

  function follow(text) {
    for (const { text: other } of columns.values()) if (other !== text) other.scrollLeft = text.scrollLeft;
  }

  function choose(framework) {
    panel.dataset.of = framework;
    for (const one of buttons.children) one.setAttribute("aria-pressed", String(one.dataset.of === framework));
    for (const one of place.children) one.classList.toggle("chosen", one.dataset.framework === framework);
    app.state.set({ of: framework === first() ? null : framework });
  }

  function first() {
    return columns.keys().next().value;
  }

  function sourceOf(framework) {
    const own = lines.map((line) => line.cells[framework]).filter(Boolean);
    return `${own.map(textOf).join("\n")}\n`;
  }

  return {
    show() {
      if (columns.has(app.state.get("of"))) choose(app.state.get("of"));
      return open({});
    },
    hide() {},
  };
}

function lineAt(node) {
  return Number(node.closest(".code-line")?.dataset.at ?? NaN);
}

function textOf(cell) {
  return cell.tokens.map(([, text]) => text).join("");
}

function lineNode({ same, cells }, at, framework) {
  const cell = cells[framework];
  const kind = cell ? (same ? "same" : "") : "absent";
  return element("div", { class: `code-line ${kind}`, "data-at": at },
    element("span", { class: "code-number", "aria-hidden": "true" }, cell ? String(cell.number) : ""),
    element("code", {}, ...(cell?.tokens ?? []).map(([token, text]) => (token ? element("span", { class: `c-${token}` }, text) : text))));
}
