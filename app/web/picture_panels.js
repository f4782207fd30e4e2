/* A panel for each framework with a canvas of its pictures, how long they took, and how far apart the frameworks are. */

import { differ } from "./differences.js";
import { element } from "./elements.js";
import { TITLES } from "./frameworks.js";
import { drawImages, imageCanvas } from "./grids.js";
import { measureGesture } from "./pace.js";
import { makePanels } from "./panels.js";
import { formatMs, makeActions } from "./parts.js";

/*
 * Return {node, difference, results, ask(framework, send, at)}. `what` says what the pictures are and
 * names the files; `onReady` is that of `makePanels`; `extend(framework, body)` puts more into a panel. `send()` returns
 * {answer, request, options}: what `app.ask` came to, and what `makeActions` takes beside it. `at` is the time of the
 * gesture that asks, if one does.
 */
export function makePicturePanels(app, { what, onReady, extend = () => {} }) {
  const results = new Map();
  const views = new Map();
  const node = element("div", { class: "frameworks-row" });
  const difference = element("p", { class: "hint" });
  let isBuilt = false;
  // While it is being built its tab has nothing to ask for yet.
  const panels = makePanels(node, app.frameworks, { fill, onReady: (framework) => isBuilt && onReady(framework) });
  isBuilt = true;

  function fill(framework, body) {
    const words = `${what} by ${TITLES[framework]}`;
    const canvas = imageCanvas(words);
    const timing = element("p", { class: "hint" }, "–");
    const actions = makeActions(() => results.get(framework), words);
    body.append(canvas, element("div", { class: "row picture-foot" }, timing, actions));
    extend(framework, body);
    views.set(framework, { canvas, timing });
  }

  async function ask(framework, send, at = null) {
    const { notice } = panels.of(framework);
    try {
      const { answer, request, options } = await send();
      notice.clear();
      const { canvas, timing } = views.get(framework);
      drawImages(canvas, answer.array, options);
      timing.textContent = `model\u00a0${formatMs(answer.timings.model)}\u00a0ms, total\u00a0${formatMs(answer.timings.all)}\u00a0ms`;
      if (at !== null) measureGesture(at);
      results.set(framework, { array: answer.array, options, name: `${what.toLowerCase()}-${framework}`, request });
      compare();
    } catch (error) {
      notice.explain(error);
    }
  }

  /* Only of what was asked alike: while one framework is ahead of another, there is nothing to compare. */
  function compare() {
    const found = [...results].filter(([framework]) => app.frameworks.ready.includes(framework));
    const asked = new Set(found.map(([, { request: { query, body } }]) =>
      JSON.stringify([{ ...query, framework: null }, [...(body?.data ?? [])]])));
    const images = new Map(found.map(([framework, { array }]) => [framework, array.data]));
    const apart = asked.size === 1 ? differ(images) : null;
    const pair = apart?.pair.map((one) => TITLES[one]).join(" – ");
    difference.textContent = apart
      ? `Largest difference of a pixel between frameworks: ${apart.largest.toPrecision(3)} (${pair}).`
      : "";
  }

  return { node, difference, results, ask };
}
