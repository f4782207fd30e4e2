/* Move through one framework's latent space, and see what all three decode there. */

import { loadDigits, loadLatentMap } from "../digits.js";
import { makeDigitStrip } from "../digit_strip.js";
import { button, choice, element, field } from "../elements.js";
import { TITLES } from "../frameworks.js";
import { REACH, makeSliders } from "../latent_sliders.js";
import { stack } from "../npy.js";
import { makePad } from "../pad.js";
import { makeActions, makeNotice } from "../parts.js";
import { makePicturePanels } from "../picture_panels.js";
import { readPixels } from "../pixels.js";
import { makeScatter } from "../scatter.js";
import { translate } from "../translation.js";

export const name = "latent";
export const title = "Latent space";

const MAP_TITLE = "Where the test set lies";

export function mount(panel, app) {
  let digits = null;
  let map = null;
  let image = null;
  let posterior = null;
  let encoded = null;
  let z = null;
  let scatter = null;
  let wanted = null;
  let mapSource = "";
  const notice = makeNotice();
  const sliders = makeSliders((dimension, value, how) => move([[dimension, value]], how));
  const pad = makePad({ onMove: move, onDimensions: (pair) => app.state.set({ pad: pair.join(",") }) });
  const strip = makeDigitStrip(begin, { shown: 8 });
  const space = choice("space", Object.entries(TITLES), (chosen) => {
    app.state.set({ space: chosen, z: null });
    locate();
  });
  const others = choice("others", [["translated"], ["same", "the same z"]], (chosen) => {
    app.state.set({ others: chosen });
    if (!posterior) return;
    build();
    place(z, { isKept: true });
  });
  const pictures = makePicturePanels(app, {
    what: "Decoded",
    onReady(framework) {
      if (posterior) ask(framework, {});
      else if (image) locate();
    },
  });
  const mapPlace = element("section", { class: "card map", "aria-label": "Map" }, element("h2", {}, MAP_TITLE));
  const othersHint = element("p", { class: "hint" });
  const mapHint = element("p", { class: "hint" });
  panel.append(
    element("section", { class: "card controls", "aria-label": "Latents" },
      strip.node,
      element("div", { class: "row head" }, field("Space of", space), field("Others", others)),
      element("div", { class: "row" },
        button("Reset to mean", () => posterior && place(Float32Array.from(posterior.mean), {})),
        button("To the origin", () => z && place(new Float32Array(z.length), {})),
        button("Randomise", () => z && place(z.map(standardNormal), {}))),
      notice.node,
      sliders.node,
      element("div", { class: "row head" },
        element("span", { class: "hint" }, "Mean and log variance"),
        makeActions(() => encoded, "mean and log variance by the encoder", ["npy", "curl", "Python"]))),
    element("section", { class: "card answers", "aria-label": "Decoded" },
      element("h2", {}, "One place, decoded three times"), pictures.node, othersHint),
    pad.node,
    mapPlace,
  );

  /* Start anew from a digit of the test set, or from the visitor's own image. */
  function take({ digit, pixels }) {
    image = (pixels && readPixels(pixels)) || digits.image(digit in digits.labels ? digit : 0);
    strip.mark(digit);
    locate();
  }

  function begin(digit) {
    app.state.set({ digit, pixels: null, z: null });
    take({ digit, pixels: null });
  }

  /* Ask the chosen framework's encoder where the image is, and go there, or where a link wanted to be. */
  async function locate() {
    const { ready } = app.frameworks;
    if (!ready.includes(space.value) && app.state.get("space") === null) space.value = ready[0];
    panel.dataset.space = space.value;
    if (!ready.includes(space.value)) {
      z = posterior = encoded = null;
      sliders.node.replaceChildren();
      // At first it is only that nothing is known yet.
      if (ready.length > 0) notice.say(`${TITLES[space.value]} doesn't answer now: choose another one's space.`);
      return;
    }
    try {
      const framework = space.value;
      const request = { path: "/encode", query: { framework }, body: stack([image], Uint8Array) };
      const { json } = await app.ask({ ...request, framework, kind: "encode", as: "json" });
      // Meanwhile another one's space was chosen.
      if (space.value !== framework) return;
      posterior = { mean: json.mean[0], logvar: json.logvar[0] };
      encoded = { array: stack([posterior.mean, posterior.logvar]), name: `encoded-${framework}`, request };
      notice.clear();
      build();
      const isWanted = wanted?.length === posterior.mean.length;
      place(isWanted ? wanted : Float32Array.from(posterior.mean), { isKept: !isWanted });
      wanted = null;
    } catch (error) {
      notice.explain(error);
    }
  }

  function build() {
    const { kl } = map.frameworks[space.value];
    const order = Array.from(posterior.mean, (_, dimension) => dimension).sort((one, other) => kl[other] - kl[one]);
    sliders.build(order, kl);
    pad.build(space.value, order, app.state.get("pad")?.split(",").map(Number) ?? []);
    const { checkpoint, explained, to } = map.frameworks[space.value];
    const isServed = checkpoint === app.frameworks.of(space.value)?.checkpoint;
    const share = explained.reduce((sum, one) => sum + one) * 100;
    mapSource = isServed
      ? `Means of ${digits.count} digits by ${TITLES[space.value]}'s encoder, on the two components that hold most ` +
        `of their variance (${share.toFixed(0)}\u00a0%).`
      : "This map was made of another checkpoint than the one that is served.";
    mapHint.textContent = `${mapSource} Click one, or drag between them.`;
    const fits = Object.entries(to).map(([one, fit]) => `${TITLES[one]} ${fit.explained.toFixed(2)}`);
    othersHint.textContent = isServed && others.value === "translated"
      ? `Each has axes of its own. A linear map leads from one to another (R² of the means: ${fits.join(", ")}).`
      : "Each has axes of its own: the same numbers are another picture in each.";
  }

  function move(changes, how) {
    if (!z) return;
    const next = z.slice();
    for (const [dimension, value] of changes) next[dimension] = value;
    place(next, how);
  }

  function moveOnMap(along, how) {
    if (!z) return;
    const { axes } = map.frameworks[space.value];
    place(z.map((value, at) => value + along[0] * axes[0][at] + along[1] * axes[1][at]), how);
  }

  function place(to, { isKept = false, ...how }) {
    // Two digits, so that a link replays the place exactly.
    z = isKept ? to : to.map((value) => Math.round(Math.min(REACH, Math.max(-REACH, value)) * 100) / 100);
    if (!isKept) app.state.set({ z: Array.from(z, (value) => Number(value.toFixed(2))).join(",") });
    sliders.show(z, posterior);
    pad.show(z, posterior);
    scatter.show(map.frameworks[space.value], z);
    askAll(how);
  }

  function askAll(how) {
    for (const framework of app.frameworks.ready) ask(framework, how);
  }

  function ask(framework, { live = false, at = null }) {
    if (!z) return;
    const translated = others.value === "same" ? null : translate(z, map, app.frameworks, space.value, framework);
    const request = { path: "/decode", query: { framework }, body: stack([translated ?? z]), field: "latents" };
    pictures.ask(framework, async () => ({ answer: await app.ask({ ...request, framework, live }), request }), at);
  }

  /* The map as it is shown, for files. */
  function mapped() {
    const by = TITLES[space.value];
    return scatter.result({ title: MAP_TITLE, unit: `by ${by}'s encoder`, source: mapSource, name: `map-${space.value}` });
  }

  return {
    async show() {
      [digits, map] = await Promise.all([loadDigits(), loadLatentMap()]);
      if (!scatter) {
        scatter = makeScatter(digits, { onPick: begin, onMove: moveOnMap });
        mapPlace.append(scatter.node, mapHint, makeActions(mapped, "the map", ["PNG", "npy", "CSV"]));
      }
      if (app.state.get("space") in TITLES) space.value = app.state.get("space");
      others.value = app.state.get("others") === "same" ? "same" : "translated";
      const at = app.state.get("z")?.split(",").map(Number);
      wanted = at?.every(Number.isFinite) ? Float32Array.from(at) : null;
      const pixels = app.state.get("pixels");
      take({ digit: pixels ? null : Number(app.state.get("digit") ?? 0), pixels });
    },
    hide() {},
  };
}

/* Box and Muller. */
function standardNormal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
