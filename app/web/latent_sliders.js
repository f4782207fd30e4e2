/* A slider for each dimension of the latent space, most informative first, with the encoder's mean and +-2 sigma. */

import { element } from "./elements.js";

export const REACH = 4;

const STEP = 0.05;

/* Return {node, build(order, kl), show(z, posterior)}; `onMove(dimension, value, how)` while one moves. */
export function makeSliders(onMove) {
  const node = element("div", { class: "sliders" });
  const rows = new Map();

  function build(order, kl) {
    rows.clear();
    const head = element("div", { class: "slider head-row", "aria-hidden": "true" },
      ...["", "mean and ±2σ of q(z|x)", "z", "KL"].map((words) => element("span", {}, words)));
    node.replaceChildren(head, ...order.map((dimension) => makeRow(dimension, kl[dimension])));
  }

  function makeRow(dimension, kl) {
    const id = `latent-${dimension}`;
    const input = element("input", {
      type: "range", id, min: -REACH, max: REACH, step: STEP, "aria-describedby": `${id}-kl`,
    });
    input.addEventListener("input", ({ timeStamp }) => {
      onMove(dimension, Number(input.value), { live: true, at: timeStamp });
    });
    const value = element("output", { for: id });
    const track = element("span", { class: "track" }, element("span", { class: "posterior" }), input);
    rows.set(dimension, { input, value, track });
    return element("div", { class: "slider" },
      element("label", { for: id }, `z${dimension}`),
      track,
      value,
      element("span", { class: "kl", id: `${id}-kl`, title: "KL divergence, averaged over the test set" },
        kl === undefined ? "" : `${kl.toFixed(2)}`, element("span", { class: "offscreen" }, " nats")),
    );
  }

  function show(z, posterior) {
    for (const [dimension, { input, value, track }] of rows) {
      input.value = z[dimension];
      value.textContent = z[dimension].toFixed(2).replace("-", "−");
      const mean = posterior.mean[dimension];
      const spread = 2 * Math.exp(posterior.logvar[dimension] / 2);
      for (const [name, at] of [["low", mean - spread], ["mean", mean], ["high", mean + spread]]) {
        track.style.setProperty(`--${name}`, Math.min(1, Math.max(0, (at / REACH + 1) / 2)));
      }
    }
  }

  return { node, build, show };
}
