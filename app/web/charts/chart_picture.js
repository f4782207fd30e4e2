/* Draws a chart or a map as a picture for a file: with its title, legend and source. */

import { markOf } from "./charts.js";
import { element } from "../parts/elements.js";
import { titleOf } from "../api/frameworks.js";

export const SCALE = 2;
const MARGIN = 16;
const TEXT = 12;
const LINE = 20;
const GAP = 16;
const COPIED_STYLES = ["fill", "stroke", "stroke-width", "font-family", "font-size", "text-anchor", "dominant-baseline"];

/*
 * Return a canvas that shows an SVG or a canvas of the page, in the page's colors; `source` is a sentence.
 * A canvas is read before this function returns its promise, so the caller may draw it differently for this call.
 */
export async function drawPicture(graphic, { title, unit, series = [] }, source) {
  const { width, height } = graphic.viewBox?.baseVal ?? { width: graphic.clientWidth, height: graphic.clientHeight };
  const canvas = element("canvas");
  const context = canvas.getContext("2d");
  const style = getComputedStyle(graphic);
  const fontOf = (weight) => `${weight} ${TEXT}px ${style.fontFamily}`;
  const write = (text, x, y, { color = "soft", weight = 400 } = {}) => {
    context.font = fontOf(weight);
    context.fillStyle = style.getPropertyValue(`--${color}`);
    context.fillText(text, x, y);
    return x + context.measureText(text).width;
  };
  const titles = fold(context, title, width, fontOf(600));
  const sources = fold(context, source, width, fontOf(400));
  const top = (titles.length + 1) * LINE + GAP;
  const size = [width, top + height + GAP + sources.length * LINE].map((side) => side + 2 * MARGIN);
  [canvas.width, canvas.height] = size.map((side) => side * SCALE);
  context.scale(SCALE, SCALE);
  context.fillStyle = style.getPropertyValue("--card");
  context.fillRect(0, 0, ...size);
  context.translate(MARGIN, MARGIN);
  context.textBaseline = "middle";
  titles.forEach((line, index) => write(line, 0, (index + 0.5) * LINE, { color: "ink", weight: 600 }));
  const y = (titles.length + 0.5) * LINE;
  let x = write(unit, 0, y) + GAP;
  for (const { framework } of series) {
    context.fillStyle = style.getPropertyValue(`--${framework}`);
    context.translate(x, y);
    context.fill(new Path2D(markOf(framework)));
    context.translate(-x, -y);
    x = write(titleOf(framework), x + LINE / 2, y) + GAP;
  }
  context.drawImage(graphic.viewBox ? await rasterise(graphic, width, height) : graphic, 0, top, width, height);
  sources.forEach((line, index) => write(line, 0, top + height + GAP + (index + 0.5) * LINE));
  return canvas;
}

/* Break a text into lines that fit into a width. */
function fold(context, text, width, font) {
  context.font = font;
  return text.split(" ").reduce((lines, word) => {
    const longer = `${lines.at(-1)} ${word}`;
    const fits = lines.length > 0 && context.measureText(longer).width <= width;
    return fits ? lines.with(-1, longer) : [...lines, word];
  }, []);
}

/* An image of the SVG, with the page's styles copied into it. */
async function rasterise(svg, width, height) {
  const copy = svg.cloneNode(true);
  const nodes = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, index) => {
    const style = getComputedStyle(nodes[index]);
    for (const name of COPIED_STYLES) node.setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", height * SCALE);
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
