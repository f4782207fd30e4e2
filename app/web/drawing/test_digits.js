/* The first digits of MNIST's test set, and the latent map of the bundled checkpoints. Fetched once, on first use. */

const SIDE = 28;
const fetched = new Map();

/* The output of `docs/scripts/page_data.py`: {frameworks: {name: {checkpoint, points, center, axes, kl, to}}}. */
export function loadLatentMap() {
  return once("latent_map.json", fetchJson);
}

/* {count, labels, image(index): a Uint8Array of 784 bytes}. */
export function loadDigits() {
  return once("digits.png", readDigits);
}

/* The same, of the first few digits: a twentieth of the bytes. */
export function loadFirstDigits() {
  return once("first_digits.png", readDigits);
}

/* {labels}: the classes of all digits. */
function fetchLabels() {
  return once("digits.json", fetchJson);
}

/* A failed fetch is tried again on the next use. */
function once(name, load) {
  if (!fetched.has(name)) {
    const promise = load(name);
    promise.catch(() => fetched.delete(name));
    fetched.set(name, promise);
  }
  return fetched.get(name);
}

async function readDigits(name) {
  const [{ labels }, response] = await Promise.all([fetchLabels(), fetchFile(name)]);
  const image = await readMosaic(await response.blob(), [SIDE, SIDE]);
  return { count: image.count, labels, image };
}

/* Return image(index) of a picture with images in rows, and their number as its `count`. */
export async function readMosaic(blob, [height, width]) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const columns = bitmap.width / width;
  const image = (index) => {
    const [x, y] = [(index % columns) * width, Math.floor(index / columns) * height];
    const { data } = context.getImageData(x, y, width, height);
    return Uint8Array.from({ length: width * height }, (_, pixel) => data[pixel * 4]);
  };
  image.count = columns * (bitmap.height / height);
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
