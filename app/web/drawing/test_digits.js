/* The first digits of MNIST's test set, and the latent map of the bundled checkpoints. Fetched once, on first use. */

import { readPng } from "../api/png.js";

const SIDE = 28;

/* The output of `docs/scripts/page_data.py`: {frameworks: {name: {checkpoint, points, center, axes, kl, to}}}. */
export const loadLatentMap = once(() => fetchJson("latent_map.json"));

/* {count, labels, image(index): a Uint8Array of 784 bytes}. */
export const loadDigits = once(() => readDigits("digits.png"));

/* The same for the first digits alone: a twentieth of the bytes. */
export const loadFirstDigits = once(() => readDigits("first_digits.png"));

/* {labels}: the classes of all digits. */
const loadLabels = once(() => fetchJson("digits.json"));

/* Return a function that calls `load` on first use, and again if that failed or returned no images. */
export function once(load) {
  let promise = null;
  return async () => {
    promise ??= load();
    try {
      const result = await promise;
      if (result.count === 0) promise = null;
      return result;
    } catch (error) {
      promise = null;
      throw error;
    }
  };
}

async function readDigits(name) {
  const [{ labels }, response] = await Promise.all([loadLabels(), fetchFile(name)]);
  const image = await readMosaic(await response.blob(), [SIDE, SIDE]);
  return { count: image.count, labels, image };
}

/* Return image(index) for a picture with images in rows. The function's `count` is their number. */
export async function readMosaic(blob, [height, width]) {
  const picture = await readPng(blob);
  const columns = picture.width / width;
  const image = (index) => picture.crop((index % columns) * width, Math.floor(index / columns) * height, width, height);
  image.count = columns * (picture.height / height);
  return image;
}

async function fetchJson(name) {
  return (await fetchFile(name)).json();
}

async function fetchFile(name) {
  const response = await fetch(`web/data/${name}`);
  if (!response.ok) throw new Error(`The page's file ${name} is missing.`);
  return response;
}
