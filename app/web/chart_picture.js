/* Draws a chart of the page as a picture that is understood alone: with title, legend and where its figures are from. */

import { MARKS } from "./charts.js";
import { element } from "./elements.js";
import { TITLES } from "./frameworks.js";

const SCALE = 2;
const MARGIN = 16;
const HEAD = 56;
const FOOT = 28;
const TEXT = 12;
const LINE = 20;
const GAP = 16;
const KEPT = ["fill", "stroke", "stroke-width", "font-family", "font-size", "text-anchor", "dominant-baseline"];

/* Return a canvas with `svg`, which is on the page, in the colours that it has there; `source` is a sentence. */
export async function drawPicture(svg, { title, unit, series }, source) {
  const { width, height } = svg.viewBox.baseVal;
  const size = [width + 2 * MARGIN, HEAD + height + FOOT + 2 * MARGIN];
  const canvas = element("canvas", { width: size[0] * SCALE, height: size[1] * SCALE });
  const context = canvas.getContext("2d");
  const style = getComputedStyle(svg);
  const write = (words, x, y, { colour = "soft", weight = 400 } = {}) => {
    context.font = `${weight} ${TEXT}px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue(`--${colour}`);
    // A text that is too long is made narrower.
    context.fillText(words, x, y, width - x);
    return x + context.measureText(words).width;
  };
  context.scale(SCALE, SCALE);
  context.fillStyle = style.getPropertyValue("--card");
  context.fillRect(0, 0, ...size);
  context.translate(MARGIN, MARGIN);
  context.textBaseline = "middle";
  write(title, 0, LINE / 2, { colour: "ink", weight: 600 });
  const y = LINE * 1.5;
  let x = write(unit, 0, y) + GAP;
  for (const { framework } of series) {
    context.fillStyle = style.getPropertyValue(`--${framework}`);
    context.translate(x, y);
    context.fill(new Path2D(MARKS[framework]));
    context.translate(-x, -y);
    x = write(TITLES[framework], x + LINE / 2, y) + GAP;
  }
  context.drawImage(await rasterise(svg, width, height), 0, HEAD, width, height);
  write(source, 0, HEAD + height + FOOT - LINE / 2);
  return canvas;
}

/* An image of the SVG, whose styles come from the page and have to go along. */
async function rasterise(svg, width, height) {
  const copy = svg.cloneNode(true);
  const nodes = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, at) => {
    const style = getComputedStyle(nodes[at]);
    for (const name of KEPT) node.setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", height * SCALE);
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
