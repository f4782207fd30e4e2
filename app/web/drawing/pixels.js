/*
 * The size of the models' images, and images as short text for links: sixteen levels of gray, and runs of black.
 *
 * The visitor's images use only these levels, so that a link replays them exactly.
 */

/* In pixels; set before any tab is built. */
export const imageSize = { width: 28, height: 28, pixels: 28 * 28 };

export function setImageShape([height, width]) {
  Object.assign(imageSize, { height, width, pixels: height * width });
}

const LEVELS = 16;
const STEP = 255 / (LEVELS - 1);
const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SHORTEST_RUN = 2;
const LONGEST_RUN = SYMBOLS.length - LEVELS + SHORTEST_RUN - 1;

/* The nearest level to a value from 0 to 1, as a byte. */
export function level(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1)) * STEP;
}

export function writePixels(image) {
  let text = "";
  for (let index = 0; index < image.length; ) {
    let run = 0;
    while (run < LONGEST_RUN && image[index + run] === 0) run += 1;
    if (run < SHORTEST_RUN) run = 1;
    text += run === 1 ? SYMBOLS[image[index] / STEP] : SYMBOLS[LEVELS + run - SHORTEST_RUN];
    index += run;
  }
  return text;
}

/* The image, or null if the text isn't an image of this size, such as a truncated link. */
export function readPixels(text) {
  const values = [];
  for (const symbol of text) {
    const code = SYMBOLS.indexOf(symbol);
    if (code < 0 || values.length > imageSize.pixels) return null;
    if (code < LEVELS) values.push(code * STEP);
    else values.push(...new Array(code - LEVELS + SHORTEST_RUN).fill(0));
  }
  return values.length === imageSize.pixels ? Uint8Array.from(values) : null;
}
