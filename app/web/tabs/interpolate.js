/* From one digit to another, in a straight line between the means that each framework's encoder gives them. */

import { makeDigitStrip } from "../digit_strip.js";
import { loadDigits } from "../digits.js";
import { Drawing } from "../drawing.js";
import { button, choice, element, field } from "../elements.js";
import { TITLES } from "../frameworks.js";
import { drawImages, imageCanvas } from "../grids.js";
import { stack } from "../npy.js";
import { makeNotice } from "../parts.js";
import { makePicturePanels } from "../picture_panels.js";
import { readPixels, writePixels } from "../pixels.js";

export const name = "interpolate";
export const title = "Interpolate";

const STEPS = [8, 12, 16, 24];
const NARROW_COLUMNS = 4;
const FRAME_MS = 130;
const ENDS = [["from", "From", 1], ["to", "To", 4]];

export function mount(panel, app) {
  let frame = 0;
  let timer = null;
  let isLoaded = false;
  let forward = true;
  const narrow = matchMedia("(max-width: 30rem)");
  const movies = new Map();
  const ends = ENDS.map(([key, words, first]) => makeEnd(key, words, first));
  const steps = choice("interpolate-steps", STEPS, (value) => {
    app.state.set({ steps: value });
    askAll({});
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
    onReady: (framework) => isLoaded && ask(framework, {}),
    extend(framework, body) {
      const canvas = imageCanvas(`One step of it by ${TITLES[framework]}`, { class: "pixels movie" });
      movies.set(framework, canvas);
      body.prepend(canvas);
    },
  });
  panel.append(
    element("div", { class: "interpolate-ends" }, ...ends.map((end) => end.node)),
    element("section", { class: "card", "aria-label": "Interpolations" },
      element("div", { class: "row head" },
        element("h2", {}, "A straight line through each latent space"),
        element("div", { class: "row" },
          field("Steps", steps), play,
          field("Step", at))),
      notice.node,
      pictures.node,
      pictures.difference));

  function makeEnd(key, words, first) {
    const drawing = new Drawing((change) => {
      strip.mark(null);
      app.state.set({ [key]: null, [`${key}-pixels`]: writePixels(drawing.image) });
      askAll(change);
    });
    drawing.node.setAttribute("aria-label", `${words}: ${drawing.node.getAttribute("aria-label")}`);
    const strip = makeDigitStrip((digit, image) => {
      drawing.set(image);
      strip.mark(digit);
      app.state.set({ [key]: digit, [`${key}-pixels`]: null });
      askAll({});
    }, { shown: 8 });
    const node = element("section", { class: "card end", "aria-label": words },
      element("h2", {}, words), drawing.node,
      element("div", { class: "end-side" }, strip.node,
        element("div", { class: "row" },
          button("Clear", () => drawing.clear()),
          element("span", { class: "hint" }, "and draw, or pick a digit of the test set."))));
    const show = (digits) => {
      const pixels = app.state.get(`${key}-pixels`);
      const image = pixels && readPixels(pixels);
      const asked = Number(app.state.get(key) ?? first);
      const digit = asked in digits.labels ? asked : first;
      drawing.set(image || digits.image(digit));
      strip.mark(image ? null : digit);
    };
    return { node, drawing, show };
  }

  function askAll(how) {
    for (const framework of app.frameworks.ready) ask(framework, how);
  }

  function ask(framework, { live = false, at: begun = null }) {
    const images = ends.map((end) => end.drawing.image);
    const isEmpty = ends.some((end) => end.drawing.isEmpty);
    notice.say(isEmpty ? "One end is empty: draw a digit there, or pick one." : "");
    if (isEmpty) return null;
    const request = { path: "/interpolate", query: { framework, steps: Number(steps.value) }, body: stack(images, Uint8Array) };
    return pictures.ask(framework, async () => {
      const answer = await app.ask({ ...request, framework, live });
      return { answer, request, options: { columns: narrow.matches ? NARROW_COLUMNS : request.query.steps } };
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

  /* There and back again. */
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

  /* On a step, which a link shows. */
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
      const digits = await loadDigits();
      steps.value = STEPS.includes(Number(app.state.get("steps"))) ? app.state.get("steps") : STEPS[1];
      for (const end of ends) end.show(digits);
      isLoaded = true;
      const asked = app.state.get("at");
      frame = Math.max(0, Math.trunc(Number(asked)) || 0);
      askAll({});
      // A link to one step shows that; and nothing moves for those who asked their system for that.
      if (asked === null && !matchMedia("(prefers-reduced-motion: reduce)").matches) start();
    },
    hide: stop,
  };
}
