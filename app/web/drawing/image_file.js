/* Makes an image of 28 x 28 pixels of a picture that was dropped, pasted or chosen; on request as MNIST's were made. */

import { PIXELS, WIDTH, level } from "./pixels.js";

const LONGEST_SIDE = 200;
const BOX = 20;
const INK = 0.35;

/* A picture that can't be read or has nothing in it; `message` is a sentence for the visitor. */
export class PictureProblem extends Error {}

/*
 * Return {image, isDark}. `ink` is "dark" (on light), "light" (on dark) or "auto". With `centred` the digit is cropped,
 * fitted into 20 x 20 pixels and moved so that its centre of mass is in the middle, as MNIST's were; uneven light and
 * the paper's grain are taken away first. Without, the whole picture is squeezed, as the service does with files.
 */
export async function readPicture(blob, { ink, centred }) {
  const picture = await decode(blob);
  const isDark = ink === "dark" || (ink === "auto" && hasLightEdges(picture));
  if (isDark) picture.values = picture.values.map((value) => 1 - value);
  if (!centred) {
    const across = (place) => (place * picture.width) / WIDTH;
    const down = (place) => (place * picture.height) / WIDTH;
    return { image: sample(picture, across, down), isDark };
  }
  flatten(picture);
  const { box, middle } = findDigit(picture);
  if (!box) throw new PictureProblem("There is no digit to be seen in it: try another picture, or say which ink it has.");
  const scale = Math.max(box.right - box.left, box.bottom - box.top) / BOX;
  // Centred on its mass, but never over the edge.
  const start = (centre, first, last) =>
    Math.max(last - WIDTH * scale, Math.min(first, centre - (WIDTH / 2) * scale));
  const [left, top] = [start(middle.x, box.left, box.right), start(middle.y, box.top, box.bottom)];
  return { image: sample(picture, (place) => left + place * scale, (place) => top + place * scale), isDark };
}

/* The picture upright and gray, from 0 to 1, laid on white or black where it is transparent. */
async function decode(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new PictureProblem("That isn't a picture that this browser can read: try a PNG, JPEG, WebP or GIF file.");
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = Array.from({ length: width * height }, (_, pixel) => data.subarray(pixel * 4, pixel * 4 + 4));
  const opaque = sum(pixels, ([, , , alpha]) => alpha);
  const darkness = sum(pixels, (pixel) => (1 - gray(pixel)) * pixel[3]) / opaque;
  const paper = darkness > 0.5 ? 1 : 0;
  const values = Float32Array.from(pixels, (pixel) => paper + (gray(pixel) - paper) * (pixel[3] / 255));
  return { width, height, values };
}

function gray([red, green, blue]) {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

function hasLightEdges({ width, height, values }) {
  const edge = [];
  for (let x = 0; x < width; x += 1) edge.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y += 1) edge.push(values[y * width], values[y * width + width - 1]);
  return edge.sort((one, other) => one - other)[edge.length >> 1] > 0.5;
}

/* Take the paper away, which is what is left where no stroke is wider than a window, and stretch what stays. */
function flatten(picture) {
  const { width, height } = picture;
  const reach = Math.ceil(Math.max(width, height) / 8);
  const darkest = (window) => window.reduce((least, value) => Math.min(least, value), 1);
  const brightest = (window) => window.reduce((most, value) => Math.max(most, value), 0);
  let paper = picture.values;
  for (const pick of [darkest, brightest]) {
    paper = filter(filter(paper, width, 1, reach, pick), width, width, reach, pick);
  }
  const ink = picture.values.map((value, pixel) => value - paper[pixel]);
  const peak = Math.max(1e-3, ink.toSorted()[Math.floor(ink.length * 0.99)], 0.5 * brightest(ink));
  picture.values = ink.map((value) => Math.min(1, Math.max(0, (value / peak - 0.2) / 0.6)));
}

/* Pick from the window around each pixel, along a row (`step` 1) or a column (`step` is the width). */
function filter(values, width, step, reach, pick) {
  const length = step === 1 ? width : values.length / width;
  return values.map((_, pixel) => {
    const at = step === 1 ? pixel % width : Math.floor(pixel / width);
    const window = [];
    for (let other = Math.max(0, at - reach); other <= Math.min(length - 1, at + reach); other += 1) {
      window.push(values[pixel + (other - at) * step]);
    }
    return pick(window);
  });
}

/* The box around the ink, without specks, and its centre of mass. */
function findDigit({ width, height, values }) {
  const rows = new Float32Array(height);
  const columns = new Float32Array(width);
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, pixel) => {
    if (value < INK) return;
    rows[Math.floor(pixel / width)] += value;
    columns[pixel % width] += value;
    mass += value;
    x += value * ((pixel % width) + 0.5);
    y += value * (Math.floor(pixel / width) + 0.5);
  });
  const least = Math.max(width, height) / 100;
  const first = (sums) => sums.findIndex((value) => value >= least);
  const last = (sums) => sums.findLastIndex((value) => value >= least) + 1;
  const box = { left: first(columns), right: last(columns), top: first(rows), bottom: last(rows) };
  return { box: box.left < 0 || box.top < 0 ? null : box, middle: { x: x / mass, y: y / mass } };
}

/* Average what each pixel of the image covers of the picture. */
function sample({ width, height, values }, across, down) {
  const isInside = (x, y) => x >= 0 && y >= 0 && x < width && y < height;
  const at = (x, y) => (isInside(x, y) ? values[Math.floor(y) * width + Math.floor(x)] : 0);
  const parts = 6;
  return Uint8Array.from({ length: PIXELS }, (_, pixel) => {
    let total = 0;
    for (let part = 0; part < parts * parts; part += 1) {
      const x = (pixel % WIDTH) + ((part % parts) + 0.5) / parts;
      const y = Math.floor(pixel / WIDTH) + (Math.floor(part / parts) + 0.5) / parts;
      total += at(across(x), down(y));
    }
    return level(total / (parts * parts));
  });
}

function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}
