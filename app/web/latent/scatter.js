/* Map of the test digits: their means on the two principal components of a latent space. Hover decodes, a click keeps. */

import { nameOf } from "../drawing/digit_strip.js";
import { element } from "../parts/elements.js";
import { drawImages } from "../results/grids.js";
import { Plane } from "./plane.js";
import { project } from "./translation.js";

const NEAR = 12;
const CLASSES = 10;
// Radius of a point without a class.
const DOT = 2.5;

/* Draw each point as its class, in the color of the class; as a dot where there are no classes. */
export function drawLabels(plane, points, labels) {
  const { context } = plane;
  context.font = `600 10px ${getComputedStyle(plane.canvas).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const colors = Array.from({ length: CLASSES }, (_, label) => plane.color(`class-${label}`));
  points.forEach((point, index) => {
    const [left, top] = plane.toScreen(...point);
    context.fillStyle = labels ? colors[labels[index] % CLASSES] : plane.color("accent");
    if (labels) {
      context.fillText(labels[index], left, top);
    } else {
      context.beginPath();
      context.arc(left, top, DOT, 0, 2 * Math.PI);
      context.fill();
    }
  });
}

/*
 * Return {node, show(map, z), isBeyond(), result({name, source, title, unit})}, where `map` is a framework's part of the latent map.
 * `onPick(index)` is called for a click on a digit, `onMove([along each axis], how)` for dragging or the arrow keys, and
 * `onHover([along each axis] or null, how)` while the pointer only passes.
 */
export function makeScatter(examples, digits, { onPick, onMove, onHover }) {
  let map = null;
  let here = [0, 0];
  const picture = element("canvas", { class: "pixels" });
  const text = element("span");
  const hovered = element("div", { class: "hovered card", hidden: true, "aria-hidden": "true" }, picture, text);
  let isDragging = false;

  const plane = new Plane({
    label: `Map of the ${examples.words}s. Arrow keys move the point along the two main directions; the strip lists the ${examples.noun}s too.`,
    reach: 1,
    draw,
    onMove(place, how) {
      const near = how.isFirst ? nearest(place) : -1;
      if (how.isFirst) isDragging = near < 0;
      if (near >= 0) onPick(near);
      else if (isDragging) onMove(along(place), how);
    },
    onStep: (step, how) => onMove(step, how),
    onHover(place, how) {
      onHover(place && map ? along(place) : null, how);
      const index = place ? nearest(place) : -1;
      hovered.hidden = index < 0;
      if (index < 0) return;
      drawImages(picture, digits.image(index));
      text.textContent = nameOf(examples, digits, index);
      const [left, top] = plane.toScreen(...map.points[index]);
      hovered.classList.toggle("left", left > plane.size / 2);
      hovered.style.setProperty("--x", `${left}px`);
      hovered.style.setProperty("--y", `${top}px`);
    },
  });
  plane.node.append(hovered);

  function along({ x, y }) {
    return [x - here[0], y - here[1]];
  }

  function nearest(place) {
    const [left, top] = plane.toScreen(place.x, place.y);
    let [best, distance] = [-1, NEAR];
    map?.points.forEach((point, index) => {
      const [x, y] = plane.toScreen(...point);
      const apart = Math.hypot(x - left, y - top);
      if (apart < distance) [best, distance] = [index, apart];
    });
    return best;
  }

  function draw() {
    if (!map) return;
    drawLabels(plane, map.points, digits.labels);
    plane.drawPlace(...here);
  }

  return {
    node: plane.node,
    show(newMap, z) {
      map = newMap;
      plane.reach = Math.max(...map.points.flat().map(Math.abs)) * 1.05;
      here = project(z, map);
      plane.draw();
    },
    isBeyond: () => plane.isBeyond(...here),
    result: ({ name, source, ...words }) => map && {
      array: { shape: [map.points.length, 2], data: Float32Array.from(map.points.flat()) },
      rows: [[examples.words, "class", "across", "up"], ...map.points.map((point, index) => [index, digits.labels?.[index] ?? null, ...point])],
      draw: () => plane.toPicture(words, source),
      name,
    },
  };
}
