/* Draws arrays of images on a canvas, pixel for pixel, or larger for a file. */

import { element } from "./elements.js";

const WHITE = 255;
const SAVED_SCALE = 8;

/* How a number from 0 to 1, or a byte, becomes a colour: white on black as the models see it. */
export function gray(value) {
  return [value, value, value];
}

/* Black to yellow by way of red: for differences. */
export function heat(value) {
  const share = value / WHITE;
  return [WHITE * Math.min(1, share * 1.6), WHITE * Math.max(0, share * 1.6 - 0.6), WHITE * Math.max(0, share * 3 - 2)];
}

/*
 * Draw images, an array of shape (n, height, width) or (n, 784), or the numbers of a single one, on a canvas that is made
 * as large as they need.
 * `columns` defaults to all in a row. CSS makes it larger (class `pixels`).
 */
export function drawImages(canvas, images, { columns = Infinity, gap = 1, colour = gray } = {}) {
  const { shape, data } = images.shape ? images : { shape: [1, 28, 28], data: images };
  const [count] = shape;
  const [height, width] = shape.length === 3 ? shape.slice(1) : [28, 28];
  const across = Math.min(columns, count);
  const size = [across * (width + gap) - gap, Math.ceil(count / across) * (height + gap) - gap];
  // Setting a size clears the canvas, which flickers.
  if (canvas.width !== size[0]) canvas.width = size[0];
  if (canvas.height !== size[1]) canvas.height = size[1];
  const context = canvas.getContext("2d");
  const scale = data instanceof Uint8Array ? 1 : WHITE;
  for (let index = 0; index < count; index += 1) {
    const tile = context.createImageData(width, height);
    for (let pixel = 0; pixel < width * height; pixel += 1) {
      const value = Math.round(data[index * width * height + pixel] * scale);
      tile.data.set([...colour(value), WHITE], pixel * 4);
    }
    const [x, y] = [index % across, Math.floor(index / across)];
    context.putImageData(tile, x * (width + gap), y * (height + gap));
  }
}

/* A canvas for images, with what a screen reader says of it. */
export function imageCanvas(label, attributes = {}) {
  return element("canvas", { class: "pixels", width: 28, height: 28, role: "img", "aria-label": label, ...attributes });
}

/* A canvas with images larger than they are, so that they can be looked at. */
export function enlarge(array, options = {}) {
  const small = document.createElement("canvas");
  drawImages(small, array, options);
  const large = document.createElement("canvas");
  [large.width, large.height] = [small.width * SAVED_SCALE, small.height * SAVED_SCALE];
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, large.width, large.height);
  return large;
}
