/* A panel for each framework with its pictures and timings, and a sentence on how much the frameworks differ. */

import { describeAmplification, differ } from "./differences.js";
import { isOvertaken } from "../api/client.js";
import { element } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { clearImage, drawImages, heat, imageCanvas } from "./grids.js";
import { measureGesture } from "./pace.js";
import { isOfOtherWeights, makePanels } from "./panels.js";
import { makeActions } from "../parts/actions.js";
import { formatMs } from "../parts/numbers.js";

/*
 * Return {node, difference, results, show(framework, query, send, at), omit(framework, sentence), clear()}. `title` names the
 * pictures, on the page and as files. `onReady` is that of `makePanels`; `extend(framework, body)` adds to a panel. `query` is
 * that of the request, and `send()` returns {response, request, options}: the result of `app.ask`, and what `makeActions`
 * takes. `at` is the timestamp of the gesture, if there is one. `omit` shows a sentence in place of a picture.
 */
export function makePicturePanels({ frameworks }, { title, onReady, extend = () => {} }) {
  const results = new Map();
  const views = new Map();
  const node = element("div", { class: "frameworks-row" });
  const sentence = element("p", { class: "hint" });
  const canvas = imageCanvas("Where the frameworks' pictures differ");
  const summary = element("summary");
  const details = element("details", { class: "difference-picture", hidden: true }, summary, canvas);
  const panels = makePanels(node, frameworks, { fill, onReady });

  function fill(framework, body) {
    const label = `${title} by ${titleOf(framework)}`;
    const picture = imageCanvas(label);
    const timing = element("p", { class: "hint" }, "–");
    const actions = makeActions(() => results.get(framework), label);
    body.append(picture, element("div", { class: "row picture-foot" }, timing, actions));
    extend(framework, body);
    views.set(framework, { picture, timing });
  }

  function forget(framework) {
    results.delete(framework);
    const { picture, timing } = views.get(framework);
    clearImage(picture);
    timing.textContent = "–";
    compare();
  }

  function omit(framework, reason) {
    forget(framework);
    panels.get(framework).notice.say(reason);
  }

  async function show(framework, query, send, at = null) {
    const { notice } = panels.get(framework);
    try {
      const { response, request, options } = await send();
      notice.clear();
      const { picture, timing } = views.get(framework);
      drawImages(picture, response.array, options);
      timing.textContent = `model\u00a0${formatMs(response.timings.model)}\u00a0ms, round\u00a0trip\u00a0${formatMs(response.timings.roundTrip)}\u00a0ms`;
      if (at !== null) measureGesture(at);
      results.set(framework, { array: response.array, options, name: `${title.toLowerCase()}-${framework}`, request });
      compare();
    } catch (error) {
      if (!isOvertaken(error) && isOfOtherWeights(results.get(framework), query)) forget(framework);
      notice.explain(error);
    }
  }

  /* Compare only results of equal requests and shapes: while the hand moves, one framework may be ahead of another. */
  function compare() {
    const readyResults = [...results].filter(([framework]) => frameworks.ready.includes(framework));
    const requests = new Set(readyResults.map(([, { array: { shape }, request: { query, body } }]) =>
      JSON.stringify([shape, { ...query, framework: null }, [...(body?.data ?? [])]])));
    const images = new Map(readyResults.map(([framework, { array }]) => [framework, array.data]));
    const difference = requests.size === 1 ? differ(images) : null;
    sentence.textContent = "";
    details.hidden = !difference;
    if (!difference) return;
    const { spread, largest, pair, factor } = difference;
    const [[, { array, options }]] = readyResults;
    sentence.textContent = `Largest pixel difference between frameworks: ${largest.toPrecision(3)} (${pair.map(titleOf).join(" – ")}).`;
    summary.textContent = `Show where they differ (${describeAmplification(largest)})`;
    drawImages(canvas, { shape: array.shape, data: spread.map((value) => value * factor) }, { ...options, color: heat });
  }

  const clear = () => [...views.keys()].forEach(forget);
  return { node, difference: element("div", {}, sentence, details), results, show, omit, clear };
}
