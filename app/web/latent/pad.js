/* A pad that moves two latents at once. */

import { choice, element, field } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { REACH } from "./sliders.js";
import { stack } from "../api/npy.js";
import { makeActions } from "../parts/actions.js";
import { BEYOND, Plane } from "./plane.js";

// So that the dot isn't cut off at the edge.
const MARGIN = 0.25;

const hintOf = (noun) => `Rings: where random points fall (1σ, 2σ). Shaded: where this ${noun} is encoded.`;

/* `noun` is the page's word for the images. Return {node, build(framework, order, dimensions), show(z, posterior)}; `onMove([[dimension, value], ...], how)`. */
export function makePad(noun, { onMove, onDimensions }) {
  let space = null;
  let z = null;
  let posterior = null;
  const selects = ["across", "up"].map((way) => choice(`pad-${way}`, [], () => changed()));
  const dimensions = () => selects.map((select) => Number(select.value));
  const plane = new Plane({
    label: "Two latents. Arrow keys move the point, in larger steps with Shift.",
    reach: REACH + MARGIN,
    draw,
    onMove: ({ x, y }, how) => onMove([x, y].map((value, at) => [dimensions()[at], value]), how),
    onStep: (step, how) => z && onMove(dimensions().map((dimension, at) => [dimension, z[dimension] + step[at]]), how),
  });

  const hint = element("p", { class: "hint" }, hintOf(noun));

  function changed() {
    onDimensions(dimensions());
    update();
  }

  function update() {
    const isBeyond = z && plane.isBeyond(...dimensions().map((dimension) => z[dimension]));
    hint.textContent = isBeyond ? `${hintOf(noun)} ${BEYOND}` : hintOf(noun);
    plane.draw();
  }

  function draw({ context }) {
    if (!z) return;
    const [across, up] = dimensions();
    const unit = plane.size / (2 * plane.reach);
    const ring = (x, y, width, height) => {
      context.beginPath();
      context.ellipse(...plane.toScreen(x, y), width * unit, height * unit, 0, 0, 2 * Math.PI);
    };
    context.strokeStyle = plane.color("edge");
    for (const sigma of [1, 2]) {
      ring(0, 0, sigma, sigma);
      context.stroke();
    }
    const spread = (dimension) => 2 * Math.exp(posterior.logvar[dimension] / 2);
    context.fillStyle = plane.color("posterior");
    ring(posterior.mean[across], posterior.mean[up], spread(across), spread(up));
    context.fill();
    plane.drawPlace(z[across], z[up]);
  }

  const result = () => z && {
    array: stack([z]),
    draw() {
      const [across, up] = dimensions();
      return plane.toPicture({ title: `${titleOf(space)}'s latent space`, unit: `z${across} across, z${up} up` }, hintOf(noun));
    },
    name: `latents-${space}`,
  };

  return {
    node: element("section", { class: "card pad", "aria-label": "Pad" },
      element("div", { class: "row head" },
        element("h2", {}, "Drag in two dimensions"),
        element("div", { class: "row" },
          field("Across", selects[0]),
          field("Up", selects[1]))),
      plane.node,
      hint,
      makeActions(result, "the point in latent space", ["PNG", "npy"])),
    build(framework, order, chosen) {
      space = framework;
      selects.forEach((select, at) => {
        select.replaceChildren(...order.map((dimension) => element("option", { value: dimension }, `z${dimension}`)));
        select.value = order.includes(chosen[at]) ? chosen[at] : (order[at] ?? order[0]);
      });
    },
    show(newZ, newPosterior) {
      [z, posterior] = [newZ, newPosterior];
      update();
    },
  };
}
