/* Morph one digit into another, along the straight line between their means in each framework's latent space. */

import { makeDigitStrip } from "../drawing/digit_strip.js";
import { Drawing } from "../drawing/drawing.js";
import { button, choice, element, field } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { drawImages, imageCanvas } from "../results/grids.js";
import { stack } from "../api/npy.js";
import { about } from "../parts/glossary.js";
import { makeNotice } from "../parts/notice.js";
import { makeWeightsSwitch } from "../parts/weights_switch.js";
import { makePicturePanels } from "../results/picture_panels.js";
import { readPixels, writePixels } from "../drawing/pixels.js";

export const name = "interpolate";
export const title = "Interpolate";

const STEPS = [8, 12, 16, 24];
const NARROW_COLUMNS = 4;
const FRAME_MS = 130;
const aboutOf = (noun) =>
  `The encoder places both ${noun}s in latent space. Each step is a point on the straight line between them, decoded. In ` +
  `between are ${noun}s that nobody drew, and often they still look like ${noun}s.`;
const ENDS = [["from", "From", 1], ["to", "To", 4]];

export function mount(panel, app) {
  const { examples } = app;
  let frame = 0;
  let timer = null;
  let isLoaded = false;
  let forward = true;
  const narrow = matchMedia("(max-width: 30rem)");
  const movies = new Map();
  const ends = ENDS.map(([key, words, first]) => makeEnd(key, words, first));
  const weights = makeWeightsSwitch(app, () => morphAll({}));
  const steps = choice("interpolate-steps", STEPS, (value) => {
    app.state.set({ steps: value });
    morphAll({});
  });
  const at = element("input", { type: "range", id: "interpolate-at", min: 0, step: 1, value: 0 });
  at.addEventListener("input", () => {
    frame = Number(at.value);
    pause();
    drawFrames();
  });
  const play = button("Play", () => (timer === null ? start() : pause()));
  const notice = makeNotice();
  const pictures = makePicturePanels(app, {
    what: "Interpolation",
    onReady: (framework) => isLoaded && morph(framework, {}),
    extend(framework, body) {
      const canvas = imageCanvas(`One step by ${titleOf(framework)}`, { class: "pixels movie" });
      movies.set(framework, canvas);
      body.prepend(canvas);
    },
  });
  panel.append(
    element("div", { class: "interpolate-ends" }, ...ends.map((end) => end.node)),
    element("section", { class: "card", "aria-label": "Interpolations" },
      element("div", { class: "row head" },
        element("h2", {}, `Morph one ${examples.noun} into another`),
        element("div", { class: "row" },
          weights.node, field("Steps", steps), play,
          field("Step", at), about(name, aboutOf(examples.noun)))),
      notice.node,
      pictures.node,
      pictures.difference,
      element("p", { class: "hint" }, weights.hint)));

  function makeEnd(key, words, first) {
    const drawing = new Drawing((change) => {
      strip.mark(null);
      app.state.set({ [key]: null, [`${key}-pixels`]: writePixels(drawing.image) });
      morphAll(change);
    });
    drawing.node.setAttribute("aria-label", `${words}: ${drawing.node.getAttribute("aria-label")}`);
    const strip = makeDigitStrip(examples, (digit, image) => {
      drawing.set(image, { isExample: true });
      strip.mark(digit);
      app.state.set({ [key]: digit, [`${key}-pixels`]: null });
      morphAll({});
    }, { shown: 8 });
    const node = element("section", { class: "card end", "aria-label": words },
      element("h2", {}, words), drawing.node,
      element("div", { class: "end-side" }, strip.node,
        element("div", { class: "row" },
          button("Clear", () => drawing.clear()),
          element("span", { class: "hint" }, `then draw, or pick a ${examples.words}.`))));
    const show = (digits) => {
      const pixels = app.state.get(`${key}-pixels`);
      const image = pixels && readPixels(pixels);
      if (image) drawing.set(image);
      const linked = Number(app.state.get(key) ?? first);
      const digit = linked >= 0 && linked < digits.count ? linked : first;
      if (digit >= digits.count) return;
      if (!image) drawing.set(digits.image(digit), { isExample: true });
      strip.mark(image ? null : digit);
    };
    return { node, drawing, show };
  }

  function morphAll(how) {
    for (const framework of app.frameworks.ready) morph(framework, how);
  }

  function morph(framework, { live = false, at: begun = null }) {
    const images = ends.map((end) => end.drawing.image);
    const isEmpty = ends.some((end) => end.drawing.isEmpty);
    notice.say(isEmpty ? `Draw or pick ${examples.one} at both ends.` : "");
    if (isEmpty) return null;
    const request = { path: "/interpolate", query: { ...app.frameworks.queryOf(framework, weights.value), steps: Number(steps.value) }, body: stack(images, Uint8Array) };
    return pictures.show(framework, async () => {
      const response = await app.ask({ ...request, framework, live });
      return { response, request, options: { columns: narrow.matches ? NARROW_COLUMNS : request.query.steps } };
    }, begun).then(drawFrames);
  }

  function drawFrames() {
    const last = Number(steps.value) - 1;
    frame = Math.min(frame, last);
    [at.max, at.value] = [last, frame];
    for (const [framework, { array }] of pictures.results) {
      const size = array.data.length / array.shape[0];
      const one = Math.min(frame, array.shape[0] - 1);
      drawImages(movies.get(framework), array.data.subarray(one * size, (one + 1) * size));
    }
  }

  /* Forward, then back. */
  function advance() {
    const last = Number(steps.value) - 1;
    if (frame >= last) forward = false;
    if (frame <= 0) forward = true;
    frame += forward ? 1 : -1;
    drawFrames();
  }

  function start() {
    app.state.set({ at: null });
    timer ??= setInterval(advance, FRAME_MS);
    play.textContent = "Pause";
  }

  /* Pause on a step, which the link then names. */
  function pause() {
    stop();
    app.state.set({ at: frame });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  return {
    async show() {
      const digits = await examples.loadAll();
      steps.value = STEPS.includes(Number(app.state.get("steps"))) ? app.state.get("steps") : STEPS[1];
      for (const end of ends) end.show(digits);
      weights.read();
      isLoaded = true;
      const linked = app.state.get("at");
      frame = Math.max(0, Math.trunc(Number(linked)) || 0);
      morphAll({});
      // A link to one step stands still, and so does everything for visitors who prefer reduced motion.
      if (linked === null && !matchMedia("(prefers-reduced-motion: reduce)").matches) start();
    },
    hide: stop,
  };
}
