/* The first digits of MNIST's test set, and where encoders put them: fetched once, when first asked for. */

import { PIXELS, WIDTH } from "./pixels.js";

let digits = null;
let map = null;

/* What `docs/scripts/page_data.py` wrote: {labels, frameworks: {name: {checkpoint, points, center, axes, kl, to}}}. */
export function loadLatentMap() {
  map ??= fetchFile("latent_map.json").then((response) => response.json());
  return map;
}

/* {count, labels, image(index): a Uint8Array of 784 bytes}. */
export function loadDigits() {
  digits ??= readDigits();
  return digits;
}

async function readDigits() {
  const [{ labels }, response] = await Promise.all([loadLatentMap(), fetchFile("digits.png")]);
  const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const columns = bitmap.width / WIDTH;
  const image = (index) => {
    const [x, y] = [(index % columns) * WIDTH, Math.floor(index / columns) * WIDTH];
    const { data } = context.getImageData(x, y, WIDTH, WIDTH);
    return Uint8Array.from({ length: PIXELS }, (_, pixel) => data[pixel * 4]);
  };
  return { count: labels.length, labels, image };
}

async function fetchFile(name) {
  const response = await fetch(`/web/data/${name}`);
  if (!response.ok) throw new Error(`The page's file ${name} is missing.`);
  return response;
}
