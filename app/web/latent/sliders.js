/* A slider for each latent, most informative first, with the encoder's mean ±2σ and the digits at both ends. */

import { imageAt } from "../api/npy.js";
import { button, element } from "../parts/elements.js";
import { term } from "../parts/glossary.js";
import { formatShort } from "../parts/numbers.js";
import { drawImages, makeThumbnail } from "../results/grids.js";

export const REACH = 4;

/* The pictures at the ends are decoded at plus and minus this value. */
export const FACE_VALUE = 3;

const STEP = 0.05;
const WIGGLE_MS = 1_800;

/*
 * Return {node, build(order, kl), clear(), show(z, posterior), showFaces(array), stop()}. `onMove(dimension, value, {live, at})` is
 * called while a slider moves, by hand or by its wiggle button. `showFaces` takes two images for each dimension of `order`,
 * low and high. `noun` is the page's word for the images.
 */
export function makeSliders(noun, onMove) {
  const node = element("div", { class: "sliders" });
  const rows = new Map();
  let wiggle = null;

  function build(order, kl) {
    stop();
    rows.clear();
    const header = element("div", { class: "slider head-row" },
      element("span"),
      element("span", {}, term("posterior", `this ${noun}'s encoding`), " ", term("sigma", "±2σ")),
      element("span", {}, term("latent", "z")), element("span", {}, term("kl_divergence", "KL")), element("span"));
    node.replaceChildren(header, ...order.map((dimension) => makeRow(dimension, kl[dimension])));
  }

  function makeRow(dimension, kl) {
    const id = `latent-${dimension}`;
    const input = element("input", {
      type: "range", id, min: -REACH, max: REACH, step: STEP, "aria-describedby": `${id}-kl`,
      oninput({ timeStamp }) {
        stop();
        onMove(dimension, Number(input.value), { live: true, at: timeStamp });
      },
    });
    const value = element("output", { for: id });
    const track = element("span", { class: "track" }, element("span", { class: "posterior" }), input);
    const faces = ["low", "high"].map(() => makeThumbnail({ class: "pixels face" }));
    const wiggleButton = button("∿", () => (wiggle?.dimension === dimension ? stop() : start(dimension)), {
      class: "quiet wiggle", "aria-label": `Wiggle z${dimension}`, "aria-pressed": "false", title: "Swing this latent back and forth",
    });
    rows.set(dimension, { input, value, track, faces, wiggleButton });
    return element("div", { class: "slider" },
      element("label", { for: id }, `z${dimension}`),
      faces[0], track, faces[1], value,
      element("span", { class: "kl", id: `${id}-kl`, title: "KL divergence in nats, averaged over the test set" },
        formatShort(kl), element("span", { class: "offscreen" }, " nats")),
      wiggleButton,
    );
  }

  /* Swing a latent once through its range and back to its value, unless stopped before. */
  function start(dimension) {
    stop();
    const { input, wiggleButton } = rows.get(dimension);
    const startTime = performance.now();
    const startValue = Number(input.value);
    wiggleButton.setAttribute("aria-pressed", "true");
    const step = (now) => {
      const phase = ((now - startTime) / WIGGLE_MS) * 2 * Math.PI;
      const isLast = phase >= 2 * Math.PI;
      onMove(dimension, isLast ? startValue : Math.max(-FACE_VALUE, Math.min(FACE_VALUE, startValue + FACE_VALUE * Math.sin(phase))), { live: true });
      if (isLast) stop();
      else wiggle.frame = requestAnimationFrame(step);
    };
    wiggle = { dimension, frame: requestAnimationFrame(step) };
  }

  function stop() {
    if (!wiggle) return;
    cancelAnimationFrame(wiggle.frame);
    rows.get(wiggle.dimension)?.wiggleButton.setAttribute("aria-pressed", "false");
    wiggle = null;
  }

  function clear() {
    stop();
    node.replaceChildren();
  }

  function show(z, posterior) {
    for (const [dimension, { input, value, track }] of rows) {
      input.value = z[dimension];
      value.textContent = formatShort(z[dimension]).replace("-", "−");
      const mean = posterior.mean[dimension];
      const spread = 2 * Math.exp(posterior.logvar[dimension] / 2);
      for (const [name, coordinate] of [["low", mean - spread], ["mean", mean], ["high", mean + spread]]) {
        track.style.setProperty(`--${name}`, Math.min(1, Math.max(0, (coordinate / REACH + 1) / 2)));
      }
    }
  }

  function showFaces(array) {
    [...rows.values()].forEach(({ faces }, row) =>
      faces.forEach((canvas, end) => drawImages(canvas, imageAt(array, 2 * row + end))));
  }

  return { node, build, clear, show, showFaces, stop };
}
