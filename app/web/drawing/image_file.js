/* Converts an image file to the models' size; optionally cropped and centered, as MNIST's digits were. */

import { element } from "../parts/elements.js";
import { imageSize, level } from "./pixels.js";

const LONGEST_SIDE = 200;
const BOX_SHARE = 20 / 28;
const INK = 0.35;

// Separate digits: the gap between them is at least this share of the width, and each has at least this share of the ink.
const GAP_SHARE = 0.03;
const GROUP_SHARE = 0.2;

// A smaller change of the aspect ratio isn't visible.
const RESHAPED_SHARE = 0.05;

/* A file that can't be read or shows no digit; `message` is a sentence for the visitor. */
export class PictureProblem extends Error {}

/*
 * Return {image, isDark, isCrowded, isReshaped, preview}: `isCrowded` if the picture seems to show several digits,
 * `isReshaped` if its aspect ratio isn't the image's, `preview` a canvas with the picture itself. `ink` is "dark" (on
 * light), "light" (on dark) or "auto".
 *
 * With `centered`, uneven light and paper grain are removed, and the digit is cropped, fitted into 20/28 of the image (20 x
 * 20 pixels for MNIST) and shifted so that its center of mass is in the middle. Without, the whole picture is resized, as
 * the service does with files.
 */
export async function readPicture(blob, { ink, centered }) {
  const picture = await decode(blob);
  const isDark = ink === "dark" || (ink === "auto" && hasLightEdges(picture));
  if (isDark) picture.values = picture.values.map((value) => 1 - value);
  if (!centered) {
    const toX = (column) => (column * picture.width) / imageSize.width;
    const toY = (row) => (row * picture.height) / imageSize.height;
    const ratio = (picture.width * imageSize.height) / (picture.height * imageSize.width);
    const isReshaped = Math.abs(Math.log(ratio)) > RESHAPED_SHARE;
    return { image: sample(picture, toX, toY), isDark, isReshaped, preview: picture.preview };
  }
  flatten(picture);
  const { box, centroid, isCrowded } = findDigit(picture);
  if (!box) throw new PictureProblem("No digit found. Try another picture, or choose the ink color.");
  const scale = Math.max(box.right - box.left, box.bottom - box.top) / (Math.min(imageSize.width, imageSize.height) * BOX_SHARE);
  // Centered on its mass, but never beyond the edge.
  const start = (center, first, last, size) =>
    Math.max(last - size * scale, Math.min(first, center - (size / 2) * scale));
  const left = start(centroid.x, box.left, box.right, imageSize.width);
  const top = start(centroid.y, box.top, box.bottom, imageSize.height);
  const image = sample(picture, (column) => left + column * scale, (row) => top + row * scale);
  return { image, isDark, isCrowded, preview: picture.preview };
}

/* The picture upright and gray, from 0 to 1, on white or black where it is transparent. */
async function decode(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new PictureProblem("That isn't an image this browser can read. Try a PNG, JPEG, WebP or GIF file.");
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const preview = element("canvas", { width, height, role: "img", "aria-label": "Your picture" });
  const context = preview.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = Array.from({ length: width * height }, (_, pixel) => data.subarray(pixel * 4, pixel * 4 + 4));
  const totalAlpha = sum(pixels, ([, , , alpha]) => alpha);
  const darkness = sum(pixels, (pixel) => (1 - gray(pixel)) * pixel[3]) / totalAlpha;
  const paper = darkness > 0.5 ? 1 : 0;
  const values = Float32Array.from(pixels, (pixel) => paper + (gray(pixel) - paper) * (pixel[3] / 255));
  return { width, height, values, preview };
}

function gray([red, green, blue]) {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

function hasLightEdges({ width, height, values }) {
  const edge = [];
  for (let x = 0; x < width; x += 1) edge.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y += 1) edge.push(values[y * width], values[y * width + width - 1]);
  return edge.sort((first, second) => first - second)[edge.length >> 1] > 0.5;
}

/* Subtract the paper (a morphological closing, in a window wider than any stroke), and stretch the contrast. */
function flatten(picture) {
  const { width, height } = picture;
  const reach = Math.ceil(Math.max(width, height) / 8);
  const darkest = (window) => window.reduce((minimum, value) => Math.min(minimum, value), 1);
  const brightest = (window) => window.reduce((maximum, value) => Math.max(maximum, value), 0);
  let paper = picture.values;
  for (const pick of [darkest, brightest]) {
    paper = filter(filter(paper, width, 1, reach, pick), width, width, reach, pick);
  }
  const ink = picture.values.map((value, pixel) => value - paper[pixel]);
  const peak = Math.max(1e-3, ink.toSorted()[Math.floor(ink.length * 0.99)], 0.5 * brightest(ink));
  picture.values = ink.map((value) => Math.min(1, Math.max(0, (value / peak - 0.2) / 0.6)));
}

/* Apply `pick` to the window around each pixel, along a row (`step` 1) or a column (`step` is the width). */
function filter(values, width, step, reach, pick) {
  const length = step === 1 ? width : values.length / width;
  return values.map((_, pixel) => {
    const index = step === 1 ? pixel % width : Math.floor(pixel / width);
    const window = [];
    for (let neighbor = Math.max(0, index - reach); neighbor <= Math.min(length - 1, index + reach); neighbor += 1) {
      window.push(values[pixel + (neighbor - index) * step]);
    }
    return pick(window);
  });
}

/* The bounding box of the ink, without specks, and its center of mass. */
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
  const minimum = Math.max(width, height) / 100;
  const firstOf = (sums) => sums.findIndex((value) => value >= minimum);
  const lastOf = (sums) => sums.findLastIndex((value) => value >= minimum) + 1;
  const box = { left: firstOf(columns), right: lastOf(columns), top: firstOf(rows), bottom: lastOf(rows) };
  const isCrowded = countGroups(columns, minimum) > 1;
  return { box: box.left < 0 || box.top < 0 ? null : box, centroid: { x: x / mass, y: y / mass }, isCrowded };
}

/* Count the groups of ink that stand side by side with clear columns between them, except small ones. */
function countGroups(columns, minimum) {
  const groups = [0];
  let clearColumns = 0;
  for (const ink of columns) {
    clearColumns = ink < minimum ? clearColumns + 1 : 0;
    if (clearColumns > columns.length * GAP_SHARE && groups.at(-1) > 0) groups.push(0);
    groups[groups.length - 1] += ink;
  }
  const total = sum(groups, (ink) => ink);
  return groups.filter((ink) => ink > total * GROUP_SHARE).length;
}

/* Resample: average the part of the picture that each pixel of the image covers. */
function sample({ width, height, values }, toX, toY) {
  const isInside = (x, y) => x >= 0 && y >= 0 && x < width && y < height;
  const valueAt = (x, y) => (isInside(x, y) ? values[Math.floor(y) * width + Math.floor(x)] : 0);
  const parts = 6;
  return Uint8Array.from({ length: imageSize.pixels }, (_, pixel) => {
    let total = 0;
    for (let part = 0; part < parts * parts; part += 1) {
      const x = (pixel % imageSize.width) + ((part % parts) + 0.5) / parts;
      const y = Math.floor(pixel / imageSize.width) + (Math.floor(part / parts) + 0.5) / parts;
      total += valueAt(toX(x), toY(y));
    }
    return level(total / (parts * parts));
  });
}

function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}
