/* Draw a digit, and watch each framework redraw it: pictures while the hand moves, exact results when it rests. */

import { isOvertaken } from "../api/client.js";
import { spellCount, titleOf } from "../api/frameworks.js";
import { stack } from "../api/npy.js";
import { loadExample } from "../drawing/digit_strip.js";
import { makeInputCard } from "../drawing/input_card.js";
import { readPixels, writePixels } from "../drawing/pixels.js";
import { makeLiveMap } from "../latent/live_map.js";
import { makeActions } from "../parts/actions.js";
import { countedText } from "../parts/counted.js";
import { button, element, headRow, section } from "../parts/elements.js";
import { about } from "../parts/glossary.js";
import { formatMs, formatNats } from "../parts/numbers.js";
import { makeSeedField } from "../parts/seed_field.js";
import { makeTimeSlider } from "../parts/time_slider.js";
import { makeWeightsSwitch } from "../parts/weights_switch.js";
import { makeDifferenceView } from "../results/difference_view.js";
import { toProbs } from "../results/differences.js";
import { makeFigures } from "../results/figures.js";
import { clearImage, drawImages, imageCanvas } from "../results/grids.js";
import { makePace, measureGesture } from "../results/pace.js";
import { isOfOtherWeights, makePanels } from "../results/panels.js";

export const name = "reconstruct";
export const title = "Reconstruct";
export const needsModel = true;

// Without a change for this long, the hand rests, and the exact results are fetched.
const REST_MS = 150;
// A pen that is down may pause for longer: the exact picture has four times the bytes of a live one.
const PEN_REST_MS = 600;
// While the hand moves, pictures and ELBO are refreshed this often, in milliseconds, and in changes of the image.
const PICTURE_PACE = [40, 1];
const SCORE_PACE = [300, 5];

const aboutOf = ({ nounWithArticle }) =>
  `You draw ${nounWithArticle}. A variational autoencoder (VAE) squeezes it into a few numbers, adds a little noise, and draws it ` +
  "again from these numbers alone. Each panel shows the same model in another framework; the last panel shows where their " +
  "pictures differ: with the same weights in all only by rounding, with separately trained weights more.";

export function mount(panel, app) {
  const { state, frameworks, examples, ask } = app;
  const isMnist = frameworks.takesMnist;
  const results = new Map();
  const views = new Map();
  let version = 0;
  let restTimer = null;
  const isPictureDue = makePace(...PICTURE_PACE);
  const isScoreDue = makePace(...SCORE_PACE);
  const input = makeInputCard(({ live, at, digit }) => {
    input.strip.mark(digit);
    state.set({ digit, pixels: digit === null ? writePixels(input.drawing.image) : null });
    update({ live, at });
  }, { examples, isMnist });
  const seed = makeSeedField((value) => {
    state.set({ seed: value });
    update({ live: true });
  });
  const weights = makeWeightsSwitch(app, () => {
    time.update();
    update({});
  });
  const time = makeTimeSlider(app, {
    owners: () => [...new Set(frameworks.ready.map(weights.spaceOf))],
    onChange: () => update({}),
  });
  // The map is the finished model's.
  const liveMap = makeLiveMap(app, {
    requestOf: (framework) => ({ ...requestOf(framework), path: "/encode", query: frameworks.queryOf(framework, weights.value) }),
    spaceOf: weights.spaceOf,
    onKeep: (image) => input.take(image),
  });
  const difference = makeDifferenceView();
  // Unfolds figures and buttons where screens are small; the style sheets fold them away.
  const detailsButton = button("Details", () => {
    detailsButton.setAttribute("aria-pressed", panel.toggleAttribute("data-details"));
  }, { class: "quiet details-button", "aria-pressed": "false" });
  const row = element("div", { class: "frameworks-row" });
  const panels = makePanels(row, frameworks, {
    fill: (framework, body) => views.set(framework, makeView(framework, body)),
    onReady: (framework) => refresh(framework, {}),
  });
  if (frameworks.names.length > 1) row.append(difference.node);
  frameworks.subscribe(() => {
    difference.node.hidden = frameworks.active.length < 2;
  });
  const answers = section("card answers", "Results",
    headRow(
      countedText(frameworks, "h2", (count) => `Your ${examples.noun}, redrawn by ${spellCount(count)}`),
      element("div", { class: "row" }, about(name, aboutOf(examples)), weights.node, seed.node, detailsButton)),
    row,
    time.node,
    element("p", { class: "hint" }, weights.hint, " Each picture is one random draw: the seed chooses it."));
  panel.append(
    input.node,
    liveMap.node,
    answers,
    section("card test-set", "Examples",
      headRow(
        element("h2", {}, examples.exampleNoun === "sample" ? "Start from a sample" : `Try a ${examples.exampleNoun} (never seen in training)`),
        button(`Open this ${examples.noun} in latent space`, explore)),
      input.strip.node,
      examples.exampleNoun === "sample"
        ? element("p", { class: "hint" }, "This model has no companion file with test images, so these are samples from the prior.")
        : null),
  );

  function explore() {
    const values = ["digit", "pixels"].map((key) => [key, state.get(key)]).filter(([, value]) => value !== null);
    state.open("latent", Object.fromEntries(values));
  }

  function requestOf(framework) {
    const body = stack([input.drawing.image], Uint8Array);
    return { path: "/reconstruct", query: { ...frameworks.queryOf(framework, weights.value, time.value), seed: seed.value }, body, field: "images" };
  }

  function makeView(framework, body) {
    const canvas = imageCanvas(`Reconstruction by ${titleOf(framework)}`);
    const { node: figures, values } = makeFigures();
    body.append(canvas, figures, makeActions(() => results.get(framework), `reconstruction by ${titleOf(framework)}`));
    return { canvas, values };
  }

  /* Update the results after a change. Return a promise of the exact results if they are fetched at once. */
  function update({ live = false, at = null }) {
    version += 1;
    clearTimeout(restTimer);
    panel.dataset.resting = !live;
    if (input.drawing.isEmpty) {
      for (const framework of views.keys()) forget(framework);
      liveMap.clear();
      panel.dataset.resting = true;
      return null;
    }
    if (!live) return settle({});
    liveMap.update({ live: true });
    // The last picture of the movement may still arrive.
    restTimer = setTimeout(() => settle({ live: true }), input.drawing.isPenDown ? PEN_REST_MS : REST_MS);
    const [isPicture, isScore] = [isPictureDue(), isScoreDue()];
    for (const framework of frameworks.ready) {
      if (isPicture) draw(framework, { format: "png", live: true, at });
      if (isScore) score(framework, { live: true });
    }
    return null;
  }

  function settle({ live = false }) {
    panel.dataset.resting = true;
    const refreshes = frameworks.ready.map((framework) => refresh(framework, { live }));
    liveMap.update({});
    return Promise.all(refreshes);
  }

  /* Fetch a framework's exact picture and figures. */
  function refresh(framework, { live = false }) {
    return Promise.all([draw(framework, { format: "npy", live }), score(framework, { live })]);
  }

  /* `format` "png" has a quarter of the bytes of "npy", rounded to 256 levels. */
  async function draw(framework, { format, live = false, at = null }) {
    const [sentVersion, request] = [version, requestOf(framework)];
    await attempt(request, { format, live, kind: "picture" }, ({ array, timings }) => {
      results.set(framework, { array, name: `reconstruction-${framework}`, request, version: sentVersion, isExact: format === "npy" });
      const { canvas, values } = views.get(framework);
      drawImages(canvas, array);
      for (const key of ["model", "roundTrip"]) values.get(key).textContent = formatMs(timings[key]);
      compare();
      if (at !== null) measureGesture(at);
    });
  }

  /* With the picture's seed the noise is the same, and so is the ELBO. */
  async function score(framework, { live = false }) {
    await attempt(requestOf(framework), { path: "/score", format: "json", live, kind: "score", aside: true }, ({ json }) => {
      for (const key of ["elbo", "log_likelihood", "kl_divergence"]) {
        views.get(framework).values.get(key).textContent = formatNats(json[key][0]);
      }
    });
  }

  /* Send a request, and call `show` with its response, unless nothing is drawn. `options` are those of `app.ask`. */
  async function attempt(request, options, show) {
    if (input.drawing.isEmpty) return;
    const { framework } = request.query;
    const { notice } = panels.get(framework);
    try {
      const response = await ask({ ...request, ...options });
      if (!input.drawing.isEmpty) show(response);
      notice.clear();
    } catch (error) {
      if (!isOvertaken(error) && isOfOtherWeights(results.get(framework), request.query)) forget(framework);
      notice.explain(error);
    }
  }

  /* Show the difference once all ready frameworks have drawn the current image: one may be a stroke ahead of another. */
  function compare() {
    const { ready } = frameworks;
    if (!ready.every((framework) => results.get(framework)?.version === version)) return;
    // Live pictures are rounded to 256 levels: far more than frameworks with the same weights differ.
    if (weights.value && !ready.every((framework) => results.get(framework).isExact)) return;
    const images = ready.map((framework) => [framework, toProbs(results.get(framework).array.data)]);
    difference.show(new Map(images), comparison());
  }

  /* The request for a comparison by the service. */
  function comparison() {
    const { framework: _, ...query } = requestOf(null).query;
    return { ...requestOf(null), query, path: "/compare" };
  }

  function forget(framework) {
    results.delete(framework);
    const { canvas, values } = views.get(framework);
    clearImage(canvas);
    for (const value of values.values()) value.textContent = "–";
    difference.clear();
  }

  return {
    async show() {
      seed.set(state.get("seed"));
      weights.read();
      time.read();
      const pixels = state.get("pixels");
      const linkedImage = pixels && readPixels(pixels);
      const linkedDigit = state.get("digit");
      const digit = linkedImage ? null : Number(linkedDigit ?? 0);
      const image = linkedImage ?? await loadExample(examples, digit);
      // While an example loads, the visitor may draw or pick another: each writes to the address.
      const isUntouched = state.get("pixels") === pixels && state.get("digit") === linkedDigit;
      if (isUntouched) {
        if (image) input.drawing.set(image, { isExample: !linkedImage });
        input.strip.mark(digit);
      }
      input.show();
      update({});
      if (isUntouched) input.greet();
      await liveMap.load();
      if (!input.drawing.isEmpty) liveMap.update({});
    },
    hide() {
      clearTimeout(restTimer);
      time.stop();
      input.hide();
    },
  };
}
