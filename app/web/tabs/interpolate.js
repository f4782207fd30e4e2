/* Morph one digit into another, along the straight line between their means in each framework's latent space. */

import { makeDigitStrip } from "../drawing/digit_strip.js";
import { Drawing } from "../drawing/drawing.js";
import { button, choice, element, field, headRow, section } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { clearImage, drawImages, imageCanvas } from "../results/grids.js";
import { imageAt, stack } from "../api/npy.js";
import { about } from "../parts/glossary.js";
import { makeNotice } from "../parts/notice.js";
import { makeWeightsSwitch } from "../parts/weights_switch.js";
import { makePicturePanels } from "../results/picture_panels.js";
import { readPixels, writePixels } from "../drawing/pixels.js";

export const name = "interpolate";
export const title = "Interpolate";
export const needsModel = true;

const STEPS = [8, 12, 16, 24];
const NARROW_COLUMNS = 4;
const FRAME_MS = 130;
const aboutOf = (noun) =>
  `The encoder places both ${noun}s in latent space. Each step is a point on the straight line between them, decoded. In ` +
  `between are ${noun}s that nobody drew, and often they still look like ${noun}s.`;
/* Key in the address, label and default digit of each end. */
const ENDS = [["from", "From", 1], ["to", "To", 4]];

export function mount(panel, app) {
  const { state, frameworks, examples, ask } = app;
  let frame = 0;
  let timer = null;
  let isLoaded = false;
  let isForward = true;
  const narrow = matchMedia("(max-width: 30rem)");
  const movies = new Map();
  const ends = ENDS.map((end) => makeEnd(...end));
  const weights = makeWeightsSwitch(app, () => morphAll({}));
  const steps = choice("interpolate-steps", STEPS, (value) => {
    state.set({ steps: value });
    morphAll({});
  });
  const slider = element("input", {
    type: "range", id: "interpolate-at", min: 0, step: 1, value: 0,
    oninput() {
      frame = Number(slider.value);
      pause();
      drawFrames();
    },
  });
  const play = button("Play", () => (timer === null ? start() : pause()));
  const notice = makeNotice();
  const pictures = makePicturePanels(app, {
    title: "Interpolation",
    onReady: (framework) => isLoaded && morph(framework, {}),
    extend(framework, body) {
      const canvas = imageCanvas(`One step by ${titleOf(framework)}`, { class: "pixels movie" });
      movies.set(framework, canvas);
      body.prepend(canvas);
    },
  });
  panel.append(
    element("div", { class: "interpolate-ends" }, ...ends.map((end) => end.node)),
    section("card", "Interpolations",
      headRow(
        element("h2", {}, `Morph one ${examples.noun} into another`),
        element("div", { class: "row" },
          weights.node, field("Steps", steps), play,
          field("Step", slider), about(name, aboutOf(examples.noun)))),
      notice.node,
      pictures.node,
      pictures.difference,
      element("p", { class: "hint" }, weights.hint)));

  function makeEnd(key, label, defaultDigit) {
    const drawing = new Drawing((change) => {
      strip.mark(null);
      state.set({ [key]: null, [`${key}-pixels`]: writePixels(drawing.image) });
      morphAll(change);
    });
    drawing.node.setAttribute("aria-label", `${label}: ${drawing.node.getAttribute("aria-label")}`);
    const strip = makeDigitStrip(examples, (digit, image) => {
      drawing.set(image, { isExample: true });
      strip.mark(digit);
      state.set({ [key]: digit, [`${key}-pixels`]: null });
      morphAll({});
    }, 8);
    const node = section("card end", label,
      element("h2", {}, label), drawing.node,
      element("div", { class: "end-side" }, strip.node,
        element("div", { class: "row" },
          button("Clear", () => drawing.clear()),
          element("span", { class: "hint" }, `then draw, or pick a ${examples.exampleNoun}.`))));
    const show = (digits) => {
      const pixels = state.get(`${key}-pixels`);
      const image = pixels && readPixels(pixels);
      if (image) drawing.set(image);
      const linkedDigit = Number(state.get(key) ?? defaultDigit);
      const digit = linkedDigit >= 0 && linkedDigit < digits.count ? linkedDigit : defaultDigit;
      if (digit >= digits.count) return;
      if (!image) drawing.set(digits.image(digit), { isExample: true });
      strip.mark(image ? null : digit);
    };
    return { node, drawing, show };
  }

  function morphAll(gesture) {
    for (const framework of frameworks.ready) morph(framework, gesture);
  }

  function morph(framework, { live = false, at = null }) {
    const images = ends.map((end) => end.drawing.image);
    const isEmpty = ends.some((end) => end.drawing.isEmpty);
    notice.say(isEmpty ? `Draw or pick ${examples.nounWithArticle} at both ends.` : "");
    if (isEmpty) return null;
    const request = { path: "/interpolate", query: { ...frameworks.queryOf(framework, weights.value), steps: Number(steps.value) }, body: stack(images, Uint8Array) };
    return pictures.show(framework, request.query, async () => {
      const response = await ask({ ...request, live });
      return { response, request, options: { columns: narrow.matches ? NARROW_COLUMNS : request.query.steps } };
    }, at).then(drawFrames);
  }

  function drawFrames() {
    const lastFrame = Number(steps.value) - 1;
    frame = Math.min(frame, lastFrame);
    [slider.max, slider.value] = [lastFrame, frame];
    for (const [framework, movie] of movies) {
      const array = pictures.results.get(framework)?.array;
      if (array) drawImages(movie, imageAt(array, Math.min(frame, array.shape[0] - 1)));
      else clearImage(movie);
    }
  }

  /* Forward, then back. */
  function advance() {
    if (frame >= Number(steps.value) - 1) isForward = false;
    if (frame <= 0) isForward = true;
    frame += isForward ? 1 : -1;
    drawFrames();
  }

  function start() {
    state.set({ at: null });
    timer ??= setInterval(advance, FRAME_MS);
    play.textContent = "Pause";
  }

  /* Pause, and write the step to the address. */
  function pause() {
    stop();
    state.set({ at: frame });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  return {
    async show() {
      const digits = await examples.loadAll();
      steps.value = STEPS.includes(Number(state.get("steps"))) ? state.get("steps") : STEPS[1];
      for (const end of ends) end.show(digits);
      weights.read();
      isLoaded = true;
      const linkedFrame = state.get("at");
      frame = Math.max(0, Math.trunc(Number(linkedFrame)) || 0);
      morphAll({});
      // Nothing moves for a link to one step, nor for visitors who prefer reduced motion.
      if (linkedFrame === null && !matchMedia("(prefers-reduced-motion: reduce)").matches) start();
    },
    hide: stop,
  };
}
