/* The test set's means on their first two principal components: a map, on which one's own place is shown and moved. */

import { element } from "./elements.js";
import { drawImages } from "./grids.js";
import { Plane } from "./plane.js";

const NEAR = 12;
const CLASSES = 10;

/*
 * Return {node, show(map, z), result({name, source, title, unit})}, where `map` is a framework's part of the latent map.
 * `onPick(index)` is called when a digit is clicked, and `onMove([along each axis], how)` where the pointer drags between
 * them.
 */
export function makeScatter(digits, { onPick, onMove }) {
  let map = null;
  let here = [0, 0];
  const picture = element("canvas", { class: "pixels", width: 28, height: 28 });
  const text = element("span");
  const hovered = element("div", { class: "hovered card", hidden: true, "aria-hidden": "true" }, picture, text);
  let isDragging = false;

  const plane = new Plane({
    label: "Map of the test set. Arrow keys move along its two principal components; digits are in the strip too.",
    reach: 1,
    draw,
    onMove(place, how) {
      const near = how.isFirst ? nearest(place) : -1;
      if (how.isFirst) isDragging = near < 0;
      if (near >= 0) onPick(near);
      else if (isDragging) onMove([place.x - here[0], place.y - here[1]], how);
    },
    onStep: (step, how) => onMove(step, how),
    onHover(place) {
      const index = place ? nearest(place) : -1;
      hovered.hidden = index < 0;
      if (index < 0) return;
      drawImages(picture, digits.image(index));
      text.textContent = `Test digit ${index}, a ${digits.labels[index]}`;
      const [left, top] = plane.toScreen(...map.points[index]);
      hovered.classList.toggle("left", left > plane.size / 2);
      hovered.style.setProperty("--x", `${left}px`);
      hovered.style.setProperty("--y", `${top}px`);
    },
  });
  plane.node.append(hovered);

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

  function draw({ context }) {
    if (!map) return;
    context.font = `600 10px ${getComputedStyle(plane.canvas).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const colours = Array.from({ length: CLASSES }, (_, label) => plane.colour(`class-${label}`));
    map.points.forEach((point, index) => {
      context.fillStyle = colours[digits.labels[index]];
      context.fillText(digits.labels[index], ...plane.toScreen(...point));
    });
    plane.drawPlace(...here);
  }

  return {
    node: plane.node,
    show(newMap, z) {
      map = newMap;
      plane.reach = Math.max(...map.points.flat().map(Math.abs)) * 1.05;
      here = map.axes.map((axis) => axis.reduce((sum, share, at) => sum + share * (z[at] - map.center[at]), 0));
      plane.draw();
    },
    result: ({ name, source, ...words }) => map && {
      array: { shape: [map.points.length, 2], data: Float32Array.from(map.points.flat()) },
      rows: [["test digit", "class", "across", "up"], ...map.points.map((point, index) => [index, digits.labels[index], ...point])],
      draw: () => plane.toPicture(words, source),
      name,
    },
  };
}
