/* Move through one framework's latent space, and see what every framework decodes there. */

import { isOvertaken } from "../api/client.js";
import { spellCount, titleOf } from "../api/frameworks.js";
import { stack } from "../api/npy.js";
import { makeDigitStrip } from "../drawing/digit_strip.js";
import { imageSize, readPixels } from "../drawing/pixels.js";
import { makeMapCard } from "../latent/map_card.js";
import { makePad } from "../latent/pad.js";
import { FACE_VALUE, REACH, makeSliders } from "../latent/sliders.js";
import { fitOf, mapOf, translate } from "../latent/translation.js";
import { makeActions } from "../parts/actions.js";
import { countedText } from "../parts/counted.js";
import { button, choice, element, field, headRow, section } from "../parts/elements.js";
import { about, term } from "../parts/glossary.js";
import { makeNotice } from "../parts/notice.js";
import { countOf } from "../parts/numbers.js";
import { makePicturePanels } from "../results/picture_panels.js";

export const name = "latent";
export const title = "Latent space";
export const needsModel = true;

const aboutOf = (noun) =>
  "The encoder turns an image into a point in latent space: a few numbers, one for each slider. The decoder turns any " +
  `point into an image. Move a slider, drag on the pad, or point at the map, and watch the ${noun} change. Latents with a ` +
  "large KL carry the most information, so they come first.";

export function mount(panel, app) {
  const { state, frameworks, examples, ask } = app;
  const frameworkCount = frameworks.names.length;
  let digits = null;
  let map = { frameworks: {} };
  let mapCard = null;
  let image = null;
  let posterior = null;
  let encoding = null;
  let z = null;
  let order = [];
  let linkedZ = null;
  const notice = makeNotice();
  const sliders = makeSliders(examples.noun, (dimension, value, gesture) => move([[dimension, value]], gesture));
  const pad = makePad(examples.noun, { onMove: move, onDimensions: (dimensions) => state.set({ pad: dimensions.join(",") }) });
  const strip = makeDigitStrip(examples, begin, 8);
  const space = choice("space", frameworks.names.map((framework) => [framework, titleOf(framework)]), (framework) => {
    state.set({ space: framework, z: null });
    locate();
  });
  const mode = choice("others", [["translated", "the matching point"], ["same", "the same coordinates"]], (value) => {
    state.set({ others: value });
    if (!posterior) return;
    build();
    moveTo(z, { isExact: true });
  });
  const pictures = makePicturePanels(app, {
    title: "Decoded",
    onReady(framework) {
      if (posterior) decode(framework, z, {});
      else if (image) locate();
    },
  });
  const modeHint = element("p", { class: "hint" });
  panel.append(
    section("card controls", "Latents",
      strip.node,
      element("div", { class: "row" },
        field("Explore the latent space of", space),
        frameworkCount > 1 ? field("Other frameworks show", mode) : null),
      element("div", { class: "row" },
        button(`Back to this ${examples.noun}`, () => posterior && moveTo(Float32Array.from(posterior.mean), {})),
        button("Set all to zero", () => z && moveTo(new Float32Array(z.length), {})),
        button("Randomize", () => z && moveTo(z.map(standardNormal), {}), { title: "A random point of the prior" })),
      notice.node,
      sliders.node,
      headRow(
        element("span", { class: "hint" }, `This ${examples.noun}'s encoding: mean and `, term("log_variance", "log variance")),
        makeActions(() => encoding, "mean and log variance by the encoder", ["npy", "curl", "Python"]))),
    section("card answers", "Decoded",
      headRow(
        countedText(frameworks, "h2", (count) => (count > 1 ? `One point, ${spellCount(count, "decoder")}` : "One point, decoded")),
        about(name, aboutOf(examples.noun))),
      pictures.node, modeHint),
    pad.node,
  );

  /* Start from a test digit, or from the visitor's own image. */
  function take({ digit, pixels }) {
    const linkedImage = pixels && readPixels(pixels);
    image = linkedImage || digits.image(digit < digits.count ? digit : 0) || new Uint8Array(imageSize.pixels);
    strip.mark(linkedImage ? null : digit);
    locate();
  }

  function begin(digit) {
    state.set({ digit, pixels: null, z: null });
    take({ digit, pixels: null });
  }

  /* Have the chosen framework encode the image, and go to its mean, or to the point of a link. */
  async function locate() {
    const { ready } = frameworks;
    if (!ready.includes(space.value) && state.get("space") === null) space.value = ready[0] ?? frameworks.names[0];
    panel.dataset.space = space.value;
    if (!ready.includes(space.value)) {
      forget();
      // While all are loading, the panels say so.
      if (ready.length > 0) notice.say(`${titleOf(space.value)} isn't available. Choose another framework.`);
      return;
    }
    try {
      const framework = space.value;
      const request = { path: "/encode", query: frameworks.queryOf(framework), body: stack([image], Uint8Array) };
      const { json } = await ask({ ...request, kind: "encode", format: "json" });
      // Another space has been chosen.
      if (space.value !== framework) return;
      posterior = { mean: json.mean[0], logvar: json.logvar[0] };
      encoding = { array: stack([posterior.mean, posterior.logvar]), name: `encoded-${framework}`, request };
      notice.clear();
      build();
      const isLinked = linkedZ?.length === posterior.mean.length;
      moveTo(isLinked ? linkedZ : Float32Array.from(posterior.mean), { isExact: !isLinked });
      linkedZ = null;
      await showFaces(framework);
    } catch (error) {
      if (!isOvertaken(error) && encoding?.request.query.framework !== space.value) forget();
      notice.explain(error);
    }
  }

  /* Show nothing of another framework's space. */
  function forget() {
    z = posterior = encoding = null;
    sliders.clear();
    pictures.clear();
    pad.node.hidden = mapCard.node.hidden = true;
  }

  function build() {
    const spaceMap = mapOf(map, frameworks, space.value);
    const kl = spaceMap?.kl ?? posterior.mean.map((mean, dimension) => {
      const logvar = posterior.logvar[dimension];
      return (mean * mean + Math.exp(logvar) - 1 - logvar) / 2;
    });
    order = Array.from(posterior.mean, (_, dimension) => dimension).sort((first, second) => kl[second] - kl[first]);
    sliders.build(order, kl);
    pad.build(space.value, order, state.get("pad")?.split(",").map(Number) ?? []);
    modeHint.textContent = describeMode(spaceMap);
  }

  function describeMode(spaceMap) {
    if (frameworkCount < 2) return "";
    const fits = frameworks.names.flatMap((framework) => {
      const fit = spaceMap && mode.value !== "same" && framework !== space.value && fitOf(map, frameworks, space.value, framework);
      return fit ? `${titleOf(framework)} ${fit.explained.toFixed(2)}` : [];
    });
    const consequence = fits.length === 0
      ? "the same numbers give different pictures"
      : `the point is translated by a linear map (fit R²: ${fits.join(", ")})`;
    return `Each model learned its own axes, so ${consequence}.`;
  }

  /* The digits at both ends of each slider, around this image's mean. */
  async function showFaces(framework) {
    const rows = order.flatMap((dimension) => [-FACE_VALUE, FACE_VALUE].map((value) =>
      Float32Array.from(posterior.mean).with(dimension, value)));
    const { array } = await ask({ path: "/decode", query: frameworks.queryOf(framework), body: stack(rows), kind: "faces" });
    if (space.value === framework) sliders.showFaces(array);
  }

  function move(changes, gesture) {
    if (!z) return;
    const point = z.slice();
    // Only the changed latents are clipped: an encoder may put the others beyond the sliders' ends.
    for (const [dimension, value] of changes) point[dimension] = Math.min(REACH, Math.max(-REACH, value));
    moveTo(point, gesture);
  }

  /* The point at an offset from the current one, along the map's two axes. */
  function pointAt([dx, dy]) {
    const { axes } = mapOf(map, frameworks, space.value);
    return z.map((value, dimension) => value + dx * axes[0][dimension] + dy * axes[1][dimension]);
  }

  /* Decode the point under the pointer, or the current point after the pointer has left. */
  function peek(offset, gesture) {
    if (z) decodeAll(offset ? pointAt(offset) : z, gesture);
  }

  /* Make a point the current one. If `isExact`, it is neither rounded nor written to the address. */
  function moveTo(point, { isExact = false, ...gesture }) {
    // Two decimals, so that a link replays the point exactly.
    z = isExact ? point : point.map((value) => Math.round(value * 100) / 100);
    if (!isExact) state.set({ z: Array.from(z, (value) => Number(value.toFixed(2))).join(",") });
    sliders.show(z, posterior);
    pad.show(z, posterior);
    pad.node.hidden = z.length < 2;
    mapCard.node.hidden = false;
    mapCard.show(mapOf(map, frameworks, space.value), space.value, z);
    decodeAll(z, gesture);
  }

  function decodeAll(point, gesture) {
    for (const framework of frameworks.ready) decode(framework, point, gesture);
  }

  function decode(framework, point, { live = false, at = null }) {
    if (!point) return;
    const translation = mode.value === "same" ? null : translate(point, map, frameworks, space.value, framework);
    const latents = translation ?? point;
    const latentCount = frameworks.latentsOf(framework) ?? latents.length;
    if (latents.length !== latentCount) {
      pictures.omit(framework, `${titleOf(framework)} can't decode this point: its model has ${countOf(latentCount, "latent")}, ` +
        `${titleOf(space.value)}'s has ${latents.length}.`);
      return;
    }
    const request = { path: "/decode", query: frameworks.queryOf(framework), body: stack([latents]) };
    pictures.show(framework, request.query, async () => ({ response: await ask({ ...request, live }), request }), at);
  }

  async function load() {
    [digits, map] = await Promise.all([examples.loadAll(), examples.loadMap()]);
    mapCard ??= makeMapCard(app, digits, {
      onPick: begin,
      onMove: (offset, gesture) => z && moveTo(pointAt(offset), gesture),
      onHover: peek,
    });
    panel.append(mapCard.node);
  }

  return {
    async show() {
      await load();
      if (frameworks.names.includes(state.get("space"))) space.value = state.get("space");
      mode.value = state.get("others") === "same" ? "same" : "translated";
      const coordinates = state.get("z")?.split(",").map(Number);
      linkedZ = coordinates?.every(Number.isFinite) ? Float32Array.from(coordinates) : null;
      const pixels = state.get("pixels");
      take({ digit: pixels ? null : Number(state.get("digit") ?? 0), pixels });
    },
    hide: () => sliders.stop(),
  };
}

/* Box and Muller's transform. */
function standardNormal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
