/* A pad that moves two latents at once. */

import { choice, element, field, headRow, section } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";
import { REACH } from "./sliders.js";
import { stack } from "../api/npy.js";
import { makeActions } from "../parts/actions.js";
import { BEYOND, Plane } from "./plane.js";

// So that the dot isn't cut off at the edge.
const MARGIN = 0.25;

/*
 * Return {node, build(framework, order, dimensions), show(z, posterior)}. `noun` is the page's word for the images,
 * `onMove([[dimension, value], ...], {live, at})` is called for each movement, `onDimensions([across, up])` for a choice.
 */
export function makePad(noun, { onMove, onDimensions }) {
  const explanation = `Rings: where random points fall (1σ, 2σ). Shaded: where this ${noun} is encoded.`;
  let space = null;
  let z = null;
  let posterior = null;
  const selects = ["across", "up"].map((direction) => choice(`pad-${direction}`, [], () => changeDimensions()));
  const dimensions = () => selects.map((select) => Number(select.value));
  const plane = new Plane({
    label: "Two latents. Arrow keys move the point, in larger steps with Shift.",
    reach: REACH + MARGIN,
    draw,
    onMove: ({ x, y }, gesture) => onMove([x, y].map((value, index) => [dimensions()[index], value]), gesture),
    onStep: (step, gesture) => z && onMove(dimensions().map((dimension, index) => [dimension, z[dimension] + step[index]]), gesture),
  });

  const hint = element("p", { class: "hint" }, explanation);

  function changeDimensions() {
    onDimensions(dimensions());
    update();
  }

  function update() {
    const isBeyond = z && plane.isBeyond(...dimensions().map((dimension) => z[dimension]));
    hint.textContent = isBeyond ? `${explanation} ${BEYOND}` : explanation;
    plane.draw();
  }

  function draw({ context }) {
    if (!z) return;
    const [across, up] = dimensions();
    context.strokeStyle = plane.color("edge");
    for (const sigma of [1, 2]) {
      plane.traceEllipse(0, 0, sigma, sigma);
      context.stroke();
    }
    const spread = (dimension) => 2 * Math.exp(posterior.logvar[dimension] / 2);
    context.fillStyle = plane.color("posterior");
    plane.traceEllipse(posterior.mean[across], posterior.mean[up], spread(across), spread(up));
    context.fill();
    plane.drawPoint(z[across], z[up]);
  }

  const getResult = () => z && {
    array: stack([z]),
    draw() {
      const [across, up] = dimensions();
      return plane.toPicture({ title: `${titleOf(space)}'s latent space`, unit: `z${across} across, z${up} up` }, explanation);
    },
    name: `latents-${space}`,
  };

  return {
    node: section("card pad", "Pad",
      headRow(
        element("h2", {}, "Drag in two dimensions"),
        element("div", { class: "row" },
          field("Across", selects[0]),
          field("Up", selects[1]))),
      plane.node,
      hint,
      makeActions(getResult, "the point in latent space", ["PNG", "npy"])),
    build(framework, order, linkedDimensions) {
      space = framework;
      selects.forEach((select, index) => {
        select.replaceChildren(...order.map((dimension) => element("option", { value: dimension }, `z${dimension}`)));
        select.value = order.includes(linkedDimensions[index]) ? linkedDimensions[index] : (order[index] ?? order[0]);
      });
    },
    show(newZ, newPosterior) {
      [z, posterior] = [newZ, newPosterior];
      update();
    },
  };
}
