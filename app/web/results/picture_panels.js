/* A panel for each framework with its pictures and timings, and a sentence on how much the frameworks differ. */

import { amplification, describeAmplification, differ } from "./differences.js";
import { element } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { drawImages, heat, imageCanvas } from "./grids.js";
import { measureGesture } from "./pace.js";
import { makePanels } from "./panels.js";
import { makeActions } from "../parts/actions.js";
import { formatMs } from "../parts/numbers.js";

/*
 * Return {node, difference, results, show(framework, send, at)}. `what` names the pictures, on the page and as files;
 * `onReady` as in `makePanels`; `extend(framework, body)` adds to a panel. `send()` returns {response, request, options}:
 * the result of `app.ask`, and the rest as `makeActions` takes it. `at` is the timestamp of the gesture, if there is one.
 */
export function makePicturePanels(app, { what, onReady, extend = () => {} }) {
  const results = new Map();
  const views = new Map();
  const node = element("div", { class: "frameworks-row" });
  const sentence = element("p", { class: "hint" });
  const spread = imageCanvas("Where the frameworks' pictures differ");
  const factor = element("summary", {});
  const picture = element("details", { class: "difference-picture", hidden: true }, factor, spread);
  const difference = element("div", {}, sentence, picture);
  let isBuilt = false;
  // The tab isn't ready for `onReady` while this function runs.
  const panels = makePanels(node, app.frameworks, { fill, onReady: (framework) => isBuilt && onReady(framework) });
  isBuilt = true;

  function fill(framework, body) {
    const words = `${what} by ${titleOf(framework)}`;
    const canvas = imageCanvas(words);
    const timing = element("p", { class: "hint" }, "–");
    const actions = makeActions(() => results.get(framework), words);
    body.append(canvas, element("div", { class: "row picture-foot" }, timing, actions));
    extend(framework, body);
    views.set(framework, { canvas, timing });
  }

  async function show(framework, send, at = null) {
    const { notice } = panels.of(framework);
    try {
      const { response, request, options } = await send();
      notice.clear();
      const { canvas, timing } = views.get(framework);
      drawImages(canvas, response.array, options);
      timing.textContent = `model\u00a0${formatMs(response.timings.model)}\u00a0ms, round\u00a0trip\u00a0${formatMs(response.timings.all)}\u00a0ms`;
      if (at !== null) measureGesture(at);
      results.set(framework, { array: response.array, options, name: `${what.toLowerCase()}-${framework}`, request });
      compare();
    } catch (error) {
      notice.explain(error);
    }
  }

  /* Compare only results of equal requests: while the hand moves, one framework may be ahead of another. */
  function compare() {
    const found = [...results].filter(([framework]) => app.frameworks.ready.includes(framework));
    const requests = new Set(found.map(([, { request: { query, body } }]) =>
      JSON.stringify([{ ...query, framework: null }, [...(body?.data ?? [])]])));
    const images = new Map(found.map(([framework, { array }]) => [framework, array.data]));
    const apart = requests.size === 1 ? differ(images) : null;
    const pair = apart?.pair.map((one) => titleOf(one)).join(" – ");
    sentence.textContent = apart
      ? `Largest pixel difference between frameworks: ${apart.largest.toPrecision(3)} (${pair}).`
      : "";
    picture.hidden = !apart;
    if (!apart) return;
    const [, { array, options }] = found[0];
    const times = amplification(apart.largest);
    factor.textContent = `Show where they differ (${describeAmplification(apart.largest)})`;
    drawImages(spread, { shape: array.shape, data: apart.spread.map((value) => value * times) }, { ...options, color: heat });
  }

  return { node, difference, results, show };
}
