/* Move through one framework's latent space, and see what every framework decodes there. */

import { spellCount, titleOf } from "../api/frameworks.js";
import { stack } from "../api/npy.js";
import { makeDigitStrip } from "../drawing/digit_strip.js";
import { imageSize, readPixels } from "../drawing/pixels.js";
import { makeMapCard } from "../latent/map_card.js";
import { makePad } from "../latent/pad.js";
import { FACE_AT, REACH, makeSliders } from "../latent/sliders.js";
import { fitOf, mapOf, translate } from "../latent/translation.js";
import { makeActions } from "../parts/actions.js";
import { counted } from "../parts/counted.js";
import { button, choice, element, field } from "../parts/elements.js";
import { about, term } from "../parts/glossary.js";
import { makeNotice } from "../parts/notice.js";
import { makePicturePanels } from "../results/picture_panels.js";

export const name = "latent";
export const title = "Latent space";

const aboutOf = (noun) =>
  "The encoder turns an image into a point in latent space: a few numbers, one for each slider. The decoder turns any " +
  `point into an image. Move a slider, drag on the pad, or point at the map, and watch the ${noun} change. Latents with a ` +
  "large KL carry the most information, so they come first.";

export function mount(panel, app) {
  const { examples } = app;
  const count = app.frameworks.names.length;
  let digits = null;
  let map = { frameworks: {} };
  let mapCard = null;
  let image = null;
  let posterior = null;
  let encoded = null;
  let z = null;
  let order = [];
  let wanted = null;
  const notice = makeNotice();
  const sliders = makeSliders(examples.noun, (dimension, value, how) => move([[dimension, value]], how));
  const pad = makePad(examples.noun, { onMove: move, onDimensions: (pair) => app.state.set({ pad: pair.join(",") }) });
  const strip = makeDigitStrip(examples, begin, { shown: 8 });
  const space = choice("space", app.frameworks.names.map((one) => [one, titleOf(one)]), (chosen) => {
    app.state.set({ space: chosen, z: null });
    locate();
  });
  const others = choice("others", [["translated", "the matching point"], ["same", "the same coordinates"]], (chosen) => {
    app.state.set({ others: chosen });
    if (!posterior) return;
    build();
    place(z, { isKept: true });
  });
  const pictures = makePicturePanels(app, {
    what: "Decoded",
    onReady(framework) {
      if (posterior) decode(framework, z, {});
      else if (image) locate();
    },
  });
  const othersHint = element("p", { class: "hint" });
  panel.append(
    element("section", { class: "card controls", "aria-label": "Latents" },
      strip.node,
      element("div", { class: "row" },
        field("Explore the latent space of", space),
        count > 1 ? field("Other frameworks show", others) : null),
      element("div", { class: "row" },
        button(`Back to this ${examples.noun}`, () => posterior && place(Float32Array.from(posterior.mean), {})),
        button("Set all to zero", () => z && place(new Float32Array(z.length), {})),
        button("Randomize", () => z && place(z.map(standardNormal), {}), { title: "A random point of the prior" })),
      notice.node,
      sliders.node,
      element("div", { class: "row head" },
        element("span", { class: "hint" }, `This ${examples.noun}'s encoding: mean and `, term("log_variance", "log variance")),
        makeActions(() => encoded, "mean and log variance by the encoder", ["npy", "curl", "Python"]))),
    element("section", { class: "card answers", "aria-label": "Decoded" },
      element("div", { class: "row head" },
        counted(app.frameworks, "h2", (frameworks) => (frameworks > 1 ? `One point, ${spellCount(frameworks, "decoder")}` : "One point, decoded")),
        about(name, aboutOf(examples.noun))),
      pictures.node, othersHint),
    pad.node,
  );

  /* Start from a test digit, or from the visitor's own image. */
  function take({ digit, pixels }) {
    const own = pixels && readPixels(pixels);
    image = own || digits.image(digit < digits.count ? digit : 0) || new Uint8Array(imageSize.pixels);
    strip.mark(own ? null : digit);
    locate();
  }

  function begin(digit) {
    app.state.set({ digit, pixels: null, z: null });
    take({ digit, pixels: null });
  }

  /* Have the chosen framework encode the image, and go to its mean, or to the point of a link. */
  async function locate() {
    const { ready } = app.frameworks;
    if (!ready.includes(space.value) && app.state.get("space") === null) space.value = ready[0] ?? app.frameworks.names[0];
    panel.dataset.space = space.value;
    if (!ready.includes(space.value)) {
      z = posterior = encoded = null;
      sliders.stop();
      sliders.node.replaceChildren();
      // While all are loading, the panels say so.
      if (ready.length > 0) notice.say(`${titleOf(space.value)} isn't available. Choose another framework.`);
      return;
    }
    try {
      const framework = space.value;
      const request = { path: "/encode", query: app.frameworks.queryOf(framework), body: stack([image], Uint8Array) };
      const { json } = await app.ask({ ...request, framework, kind: "encode", as: "json" });
      // Another space was chosen meanwhile.
      if (space.value !== framework) return;
      posterior = { mean: json.mean[0], logvar: json.logvar[0] };
      encoded = { array: stack([posterior.mean, posterior.logvar]), name: `encoded-${framework}`, request };
      notice.clear();
      build();
      const isWanted = wanted?.length === posterior.mean.length;
      place(isWanted ? wanted : Float32Array.from(posterior.mean), { isKept: !isWanted });
      wanted = null;
      await showFaces(framework);
    } catch (error) {
      notice.explain(error);
    }
  }

  function build() {
    const own = mapOf(map, app.frameworks, space.value);
    const kl = own?.kl ?? posterior.mean.map((mean, at) => {
      const logvar = posterior.logvar[at];
      return (mean * mean + Math.exp(logvar) - 1 - logvar) / 2;
    });
    order = Array.from(posterior.mean, (_, dimension) => dimension).sort((one, other) => kl[other] - kl[one]);
    sliders.build(order, kl);
    pad.build(space.value, order, app.state.get("pad")?.split(",").map(Number) ?? []);
    othersHint.textContent = describeOthers(own);
  }

  function describeOthers(own) {
    if (count < 2) return "";
    const fits = app.frameworks.names.flatMap((one) => {
      const fit = own && others.value !== "same" && one !== space.value && fitOf(map, app.frameworks, space.value, one);
      return fit ? `${titleOf(one)} ${fit.explained.toFixed(2)}` : [];
    });
    const seen = fits.length === 0
      ? "the same numbers give different pictures"
      : `the point is translated by a linear map (fit R²: ${fits.join(", ")})`;
    return `Each model learned its own axes, so ${seen}.`;
  }

  /* The digits at both ends of each slider, around this image's mean. */
  async function showFaces(framework) {
    const rows = order.flatMap((dimension) => [-FACE_AT, FACE_AT].map((value) =>
      Float32Array.from(posterior.mean).with(dimension, value)));
    const { array } = await app.ask({ path: "/decode", query: app.frameworks.queryOf(framework), body: stack(rows), framework, kind: "faces" });
    if (space.value === framework) sliders.showFaces(array);
  }

  function move(changes, how) {
    if (!z) return;
    const next = z.slice();
    // The others stay where they are, also those that an encoder put beyond the sliders' ends.
    for (const [dimension, value] of changes) next[dimension] = Math.min(REACH, Math.max(-REACH, value));
    place(next, how);
  }

  /* The point at a distance along the map's axes. */
  function onMap(along) {
    const { axes } = mapOf(map, app.frameworks, space.value);
    return z.map((value, at) => value + along[0] * axes[0][at] + along[1] * axes[1][at]);
  }

  /* Decode the place under the pointer, or the kept point once the pointer has left. */
  function peek(along, how) {
    if (z) decodeAll(along ? onMap(along) : z, how);
  }

  function place(to, { isKept = false, ...how }) {
    // Two decimals, so that a link replays the point exactly.
    z = isKept ? to : to.map((value) => Math.round(value * 100) / 100);
    if (!isKept) app.state.set({ z: Array.from(z, (value) => Number(value.toFixed(2))).join(",") });
    sliders.show(z, posterior);
    pad.show(z, posterior);
    mapCard.show(mapOf(map, app.frameworks, space.value), space.value, z);
    decodeAll(z, how);
  }

  function decodeAll(point, how) {
    for (const framework of app.frameworks.ready) decode(framework, point, how);
  }

  function decode(framework, point, { live = false, at = null }) {
    if (!point) return;
    const own = others.value === "same" ? null : translate(point, map, app.frameworks, space.value, framework);
    const latents = own ?? point;
    // Another number of latents: the same coordinates mean nothing there.
    if (latents.length !== (app.frameworks.latentsOf(framework) ?? latents.length)) return;
    const request = { path: "/decode", query: app.frameworks.queryOf(framework), body: stack([latents]), field: "latents" };
    pictures.show(framework, async () => ({ response: await app.ask({ ...request, framework, live }), request }), at);
  }

  async function load() {
    [digits, map] = await Promise.all([examples.loadAll(), examples.loadMap()]);
    mapCard ??= makeMapCard(examples, digits, {
      onPick: begin,
      onMove: (along, how) => z && place(onMap(along), how),
      onHover: peek,
    });
    panel.append(mapCard.node);
  }

  return {
    async show() {
      await load();
      if (app.frameworks.names.includes(app.state.get("space"))) space.value = app.state.get("space");
      others.value = app.state.get("others") === "same" ? "same" : "translated";
      const at = app.state.get("z")?.split(",").map(Number);
      wanted = at?.every(Number.isFinite) ? Float32Array.from(at) : null;
      const pixels = app.state.get("pixels");
      take({ digit: pixels ? null : Number(app.state.get("digit") ?? 0), pixels });
    },
    hide: () => sliders.stop(),
  };
}

/* Box and Muller's transform. */
function standardNormal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
