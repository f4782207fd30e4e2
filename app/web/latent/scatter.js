/* Map of the test digits: their means on the two principal components of a latent space. Hover decodes, a click keeps. */

import { nameOf } from "../drawing/digit_strip.js";
import { element } from "../parts/elements.js";
import { drawImages, makeThumbnail } from "../results/grids.js";
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

/* The largest coordinate that a plane with a map shows; 1 where all points are at one place, which has no scale. */
export function reachOf({ points }) {
  return Math.max(...points.flat().map(Math.abs)) * 1.05 || 1;
}

/*
 * Return {node, show(map, z), isBeyond(), result({name, source, title, unit})}, where `map` is a framework's part of the
 * latent map. `onPick(index)` is called for a click on a digit, `onMove([dx, dy], {live, at})` for dragging or the arrow
 * keys, with the offset from the current point along the map's axes, and `onHover([dx, dy] or null, {live, at})` while the
 * pointer moves without dragging.
 */
export function makeScatter(examples, digits, { onPick, onMove, onHover }) {
  let map = null;
  let current = [0, 0];
  const picture = makeThumbnail();
  const text = element("span");
  const preview = element("div", { class: "hovered card", hidden: true, "aria-hidden": "true" }, picture, text);
  let isDragging = false;

  const plane = new Plane({
    label: `Map of the ${examples.exampleNoun}s. Arrow keys move the point along the two main directions; the strip lists the ${examples.noun}s too.`,
    reach: 1,
    draw,
    onMove(point, gesture) {
      const index = gesture.isFirst ? nearest(point) : -1;
      if (gesture.isFirst) isDragging = index < 0;
      if (index >= 0) onPick(index);
      else if (isDragging) onMove(offsetTo(point), gesture);
    },
    onStep: onMove,
    onHover(point, gesture) {
      onHover(point && map ? offsetTo(point) : null, gesture);
      const index = point ? nearest(point) : -1;
      preview.hidden = index < 0;
      if (index < 0) return;
      drawImages(picture, digits.image(index));
      text.textContent = nameOf(examples, digits, index);
      plane.placeBeside(preview, ...map.points[index]);
    },
  });
  plane.node.append(preview);

  function offsetTo({ x, y }) {
    return [x - current[0], y - current[1]];
  }

  /* The index of the digit that is nearest to a point, or -1 if none is near. */
  function nearest({ x, y }) {
    const [left, top] = plane.toScreen(x, y);
    let [nearestIndex, nearestDistance] = [-1, NEAR];
    map?.points.forEach((point, index) => {
      const [digitLeft, digitTop] = plane.toScreen(...point);
      const distance = Math.hypot(digitLeft - left, digitTop - top);
      if (distance < nearestDistance) [nearestIndex, nearestDistance] = [index, distance];
    });
    return nearestIndex;
  }

  function draw() {
    if (!map) return;
    drawLabels(plane, map.points, digits.labels);
    plane.drawPoint(...current);
  }

  return {
    node: plane.node,
    show(newMap, z) {
      map = newMap;
      plane.reach = reachOf(map);
      current = project(z, map);
      plane.draw();
    },
    isBeyond: () => plane.isBeyond(...current),
    result: ({ name, source, ...caption }) => map && {
      array: { shape: [map.points.length, 2], data: Float32Array.from(map.points.flat()) },
      rows: [[examples.exampleNoun, "class", "across", "up"], ...map.points.map((point, index) => [index, digits.labels?.[index] ?? null, ...point])],
      draw: () => plane.toPicture(caption, source),
      name,
    },
  };
}
