/* Move through one framework's latent space, and see what all three decode there. */

import { isOvertaken } from "../client.js";
import { loadDigits, loadLatentMap } from "../digits.js";
import { makeDigitStrip } from "../digit_strip.js";
import { element, field } from "../elements.js";
import { TITLES } from "../frameworks.js";
import { drawImages, imageCanvas } from "../grids.js";
import { REACH, makeSliders } from "../latent_sliders.js";
import { stack } from "../npy.js";
import { measureGesture } from "../pace.js";
import { makePad } from "../pad.js";
import { makePanels } from "../panels.js";
import { formatMs, makeActions, makeNotice } from "../parts.js";
import { readPixels } from "../pixels.js";
import { makeScatter } from "../scatter.js";
import { translate } from "../translation.js";

export const name = "latent";
export const title = "Latent space";

export function mount(panel, app) {
  let digits = null;
  let map = null;
  let image = null;
  let posterior = null;
  let z = null;
  let scatter = null;
  let wanted = null;
  const results = new Map();
  const views = new Map();
  const notice = makeNotice();
  const sliders = makeSliders((dimension, value, how) => move([[dimension, value]], how));
  const pad = makePad({ onMove: move, onDimensions: (pair) => app.state.set({ pad: pair.join(",") }) });
  const strip = makeDigitStrip(begin, { shown: 8 });
  const space = choice("space", "Space of", Object.entries(TITLES), () => {
    app.state.set({ space: space.value, z: null });
    locate();
  });
  const others = choice("others", "Others", [["translated", "translated"], ["same", "the same z"]], () => {
    app.state.set({ others: others.value });
    if (!posterior) return;
    build();
    place(z, { isKept: true });
  });
  const row = element("div", { class: "frameworks-row" });
  const panels = makePanels(row, app.frameworks, {
    fill: (framework, body) => views.set(framework, makeView(framework, body)),
    onReady(framework) {
      if (posterior) ask(framework, {});
      else if (image) locate();
    },
  });
  const mapTitle = element("h2", {}, "Where the test set lies");
  const mapPlace = element("section", { class: "card map", "aria-label": "Map" }, mapTitle);
  const othersHint = element("p", { class: "hint" });
  const mapHint = element("p", { class: "hint" });
  const button = (words, onclick) => element("button", { type: "button", onclick }, words);
  panel.append(
    element("section", { class: "card controls", "aria-label": "Latents" },
      strip.node,
      element("div", { class: "row head" }, space.node, others.node),
      element("div", { class: "row" },
        button("Reset to mean", () => posterior && place(Float32Array.from(posterior.mean), {})),
        button("To the origin", () => z && place(new Float32Array(z.length), {})),
        button("Randomise", () => z && place(z.map(standardNormal), {}))),
      notice.node,
      sliders.node),
    element("section", { class: "card answers", "aria-label": "Decoded" },
      element("h2", {}, "One place, decoded three times"), row, othersHint),
    element("section", { class: "card", "aria-label": "Pad" }, pad.node),
    mapPlace,
  );

  function makeView(framework, body) {
    const canvas = imageCanvas(`Decoded by ${TITLES[framework]}`);
    const timing = element("p", { class: "hint" }, "–");
    body.classList.add("decoded");
    const actions = makeActions(() => results.get(framework), `picture decoded by ${TITLES[framework]}`);
    body.append(canvas, element("div", {}, timing, actions));
    return { canvas, timing };
  }

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
      z = posterior = null;
      sliders.node.replaceChildren();
      // At first it is only that nothing is known yet.
      if (ready.length > 0) notice.say(`${TITLES[space.value]} doesn't answer now: choose another one's space.`);
      return;
    }
    try {
      const body = stack([image], Uint8Array);
      const { json } = await app.ask({ path: "/encode", framework: space.value, kind: "encode", body, as: "json" });
      posterior = { mean: json.mean[0], logvar: json.logvar[0] };
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
    pad.build(order, app.state.get("pad")?.split(",").map(Number) ?? []);
    const { checkpoint, explained, to } = map.frameworks[space.value];
    const isServed = checkpoint === app.frameworks.of(space.value)?.checkpoint;
    const share = explained.reduce((sum, one) => sum + one) * 100;
    mapHint.textContent = isServed
      ? `Means of ${digits.count} digits by ${TITLES[space.value]}'s encoder, on the two components that hold most ` +
        `of their variance (${share.toFixed(0)} %). Click one, or drag between them.`
      : "This map was made of another checkpoint than the one that is served.";
    const fits = Object.entries(to).map(([one, fit]) => `${TITLES[one]} ${fit.explained.toFixed(2)}`);
    othersHint.textContent = isServed && others.value === "translated"
      ? "Trained apart, the three have axes of their own. A linear map leads from this place to the others' spaces, " +
        `and explains most of how their means vary (R²: ${fits.join(", ")}).`
      : "Trained apart, the three have axes of their own: the same numbers are another picture in each.";
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

  async function ask(framework, { live = false, at = null }) {
    if (!z) return;
    const translated = others.value === "same" ? null : translate(z, map, app.frameworks, space.value, framework);
    const request = { path: "/decode", query: { framework }, body: stack([translated ?? z]), field: "latents" };
    try {
      const { array, timings } = await app.ask({ ...request, framework, live });
      panels.of(framework).notice.clear();
      results.set(framework, { array, name: `decoded-${framework}`, request });
      const { canvas, timing } = views.get(framework);
      drawImages(canvas, array);
      timing.textContent = `model ${formatMs(timings.model)} ms\ntotal ${formatMs(timings.all)} ms`;
      if (at !== null) measureGesture(at);
    } catch (error) {
      if (!isOvertaken(error)) panels.of(framework).notice.explain(error);
    }
  }

  return {
    async show() {
      [digits, map] = await Promise.all([loadDigits(), loadLatentMap()]);
      if (!scatter) {
        scatter = makeScatter(digits, { onPick: begin, onMove: moveOnMap });
        mapPlace.append(scatter.node, mapHint);
      }
      space.value = app.state.get("space");
      others.value = app.state.get("others") ?? "translated";
      const at = app.state.get("z")?.split(",").map(Number);
      wanted = at?.every(Number.isFinite) ? Float32Array.from(at) : null;
      const pixels = app.state.get("pixels");
      take({ digit: pixels ? null : Number(app.state.get("digit") ?? 0), pixels });
    },
    hide() {},
  };
}

function choice(id, label, options, onchange) {
  const items = options.map(([value, words]) => element("option", { value }, words));
  const select = element("select", { id, onchange }, ...items);
  return {
    node: field(label, select),
    get value() {
      return select.value;
    },
    set value(value) {
      if (options.some(([one]) => one === value)) select.value = value;
    },
  };
}

/* Box and Muller. */
function standardNormal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
