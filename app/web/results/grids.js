/* Draws arrays of images on a canvas, pixel for pixel, or enlarged for a file. */

import { imageSize } from "../drawing/pixels.js";
import { element } from "../parts/elements.js";

const WHITE = 255;
const SAVED_SCALE = 8;
const GAP = 1;

/* Red, green and blue of a byte: white on black, as the models see it. */
export function gray(value) {
  return [value, value, value];
}

/* Black, red, yellow, white: for differences. */
export function heat(value) {
  const share = value / WHITE;
  return [WHITE * Math.min(1, share * 1.6), WHITE * Math.max(0, share * 1.6 - 0.6), WHITE * Math.max(0, share * 3 - 2)];
}

/*
 * Draw images on a canvas, resized to fit them: an array of shape (n, height, width), or the numbers of one image of the
 * models' size. `columns` defaults to all in one row. CSS enlarges the canvas (class `pixels`).
 */
export function drawImages(canvas, images, { columns = Infinity, color = gray } = {}) {
  const { shape, data } = images.shape ? images : { shape: [1, imageSize.height, imageSize.width], data: images };
  const [count, height, width] = shape;
  const across = Math.min(columns, count);
  resize(canvas, across * (width + GAP) - GAP, Math.ceil(count / across) * (height + GAP) - GAP);
  const context = canvas.getContext("2d");
  const scale = data instanceof Uint8Array ? 1 : WHITE;
  for (let index = 0; index < count; index += 1) {
    const tile = context.createImageData(width, height);
    for (let pixel = 0; pixel < width * height; pixel += 1) {
      const value = Math.round(data[index * width * height + pixel] * scale);
      tile.data.set([...color(value), WHITE], pixel * 4);
    }
    const [x, y] = [index % across, Math.floor(index / across)];
    context.putImageData(tile, x * (width + GAP), y * (height + GAP));
  }
}

/* Replace what is on a canvas by a black image. */
export function clearImage(canvas) {
  drawImages(canvas, new Uint8Array(imageSize.pixels));
}

/* The style sheets bound a canvas by its proportions, `--ratio`. */
function resize(canvas, width, height) {
  // Setting a size clears the canvas, which flickers.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.style.setProperty("--ratio", width / height);
}

function makeCanvas(attributes) {
  const canvas = element("canvas", { class: "pixels", ...attributes });
  resize(canvas, imageSize.width, imageSize.height);
  return canvas;
}

/* A canvas for an image that is described elsewhere. */
export function makeThumbnail(attributes = {}) {
  return makeCanvas({ "aria-hidden": "true", ...attributes });
}

/* A canvas for images, with its description for screen readers. */
export function imageCanvas(label, attributes = {}) {
  return makeCanvas({ role: "img", "aria-label": label, ...attributes });
}

/* A canvas with the images enlarged, for a file. */
export function enlarge(array, options = {}) {
  const small = element("canvas");
  drawImages(small, array, options);
  const large = element("canvas");
  [large.width, large.height] = [small.width * SAVED_SCALE, small.height * SAVED_SCALE];
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, large.width, large.height);
  return large;
}
