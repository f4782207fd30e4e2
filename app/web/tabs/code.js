/* The installed sources side by side; a line and its counterparts light up together. */

import { request } from "../api/client.js";
import { button, choice, dot, element, field, headRow, section } from "../parts/elements.js";
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

export function mount(panel, { state }) {
  const columns = new Map();
  let shownFile = null;
  let lines = [];
  let markedIndex = null;
  const notice = makeNotice();
  const status = element("p", { class: "hint", role: "status" });
  const file = choice("code-file", FILES, (filename) => open({ file: filename, line: null }));
  const definition = choice("code-definition", [], (index) => mark(Number(index), { isLinked: true, isMoved: true }));
  const buttons = element("div", { class: "row code-choice", role: "group", "aria-label": "Framework" });
  const container = element("div", { class: "code-columns" });

  function addColumn(framework) {
    const label = titleOf(framework);
    buttons.append(button(label, () => choose(framework), { "data-of": framework }));
    const text = element("div", {
      class: "code-text", role: "group", tabindex: 0, "data-of": framework,
      onkeydown: moveMark,
      onpointermove: ({ target }) => mark(indexOf(target)),
      onclick: ({ target }) => mark(indexOf(target), { isLinked: true }),
      onscroll: () => follow(text),
    });
    const copyStatus = element("span", { class: "offscreen", role: "status" });
    const copyButton = button("Copy", async () => flash(await copy(sourceOf(framework)), copyButton, copyStatus), {
      class: "quiet", "aria-label": `Copy the source for ${label}`,
    });
    const path = element("span", { class: "version" });
    columns.set(framework, { text, path });
    container.append(
      element("article", { class: `framework ${framework}`, "data-framework": framework },
        element("h3", {}, dot(framework), label, path, copyButton), copyStatus, text));
  }
  panel.append(
    section("card", "Code",
      headRow(
        element("h2", {}, "One model, line by line"),
        element("div", { class: "row" },
          field("File", file),
          field("Go to", definition), about(name, ABOUT))),
      notice.node,
      buttons, status, container));

  async function open(changes) {
    state.set(changes);
    const filename = FILES.includes(state.get("file")) ? state.get("file") : FILES[0];
    file.value = filename;
    try {
      if (shownFile !== filename) build((await request({ path: "/page/code", query: { file: filename }, format: "json" })).json);
      notice.clear();
    } catch (error) {
      notice.explain(error);
      return;
    }
    const line = state.get("line");
    if (line !== null && lines[Number(line)]) mark(Number(line), { isMoved: true });
  }

  function build({ file: filename, frameworks: entries, definitions }) {
    // Another file has been chosen.
    if (filename !== file.value) return;
    shownFile = filename;
    markedIndex = null;
    introduce(entries);
    lines = definitions.flatMap((block) => block.lines);
    const frameworks = new Set(lines.flatMap(({ cells }) => Object.keys(cells)));
    for (const framework of frameworks) if (!columns.has(framework)) addColumn(framework);
    choose(columns.has(state.get("of")) ? state.get("of") : firstFramework());
    let start = 0;
    definition.replaceChildren(...definitions.map((block) => {
      const option = element("option", { value: start }, block.id);
      start += block.lines.length;
      return option;
    }));
    for (const [framework, { text, path }] of columns) {
      path.textContent = `training/${framework}_vae/${filename}`;
      text.setAttribute("aria-label", `${titleOf(framework)}, ${filename}. Up and down move along the lines.`);
      text.replaceChildren(element("div", { class: "code-lines" }, ...lines.map((line, index) => lineNode(line, index, framework))));
      text.scrollLeft = 0;
    }
    const identicalCount = lines.filter((line) => line.same).length;
    status.textContent = `${identicalCount} of ${lines.length} lines are identical (dimmed).`;
  }

  /* Light up the lines at an index; write it to the address if `isLinked`, scroll there if `isMoved`. */
  function mark(index, { isLinked = false, isMoved = false } = {}) {
    if (!lines[index]) return;
    if (index !== markedIndex) {
      for (const node of panel.querySelectorAll(`.code-line.lit`)) node.classList.remove("lit");
      for (const node of panel.querySelectorAll(`.code-line[data-at="${index}"]`)) node.classList.add("lit");
    }
    markedIndex = index;
    if (isLinked) state.set({ file: shownFile, line: index });
    if (isMoved) panel.querySelector(`[data-framework="${panel.dataset.of}"] .lit`).scrollIntoView({ block: "center" });
  }

  function moveMark(event) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = markedIndex === null ? 0 : Math.min(lines.length - 1, Math.max(0, markedIndex + step));
    mark(index, { isLinked: true, isMoved: true });
    const cell = lines[index].cells[event.currentTarget.dataset.of];
    status.textContent = cell ? `Line ${cell.number}: ${textOf(cell)}` : "No such line here.";
  }

  function follow(text) {
    for (const column of columns.values()) if (column.text !== text) column.text.scrollLeft = text.scrollLeft;
  }

  function choose(framework) {
    panel.dataset.of = framework;
    for (const node of buttons.children) node.setAttribute("aria-pressed", node.dataset.of === framework);
    for (const node of container.children) node.classList.toggle("chosen", node.dataset.framework === framework);
    state.set({ of: framework === firstFramework() ? null : framework });
  }

  function firstFramework() {
    return columns.keys().next().value;
  }

  function sourceOf(framework) {
    const cells = lines.map((line) => line.cells[framework]).filter(Boolean);
    return `${cells.map(textOf).join("\n")}\n`;
  }

  return {
    show() {
      if (columns.has(state.get("of"))) choose(state.get("of"));
      return open({});
    },
    hide() {},
  };
}

function indexOf(node) {
  return Number(node.closest(".code-line")?.dataset.at ?? NaN);
}

function textOf(cell) {
  return cell.tokens.map(([, text]) => text).join("");
}

function lineNode({ same, cells }, index, framework) {
  const cell = cells[framework];
  const className = cell ? (same ? "same" : "") : "absent";
  return element("div", { class: `code-line ${className}`, "data-at": index },
    element("span", { class: "code-number", "aria-hidden": "true" }, cell?.number),
    element("code", {}, ...(cell?.tokens ?? []).map(([token, text]) => (token ? element("span", { class: `c-${token}` }, text) : text))));
}
