/*
 * The visitor's own images, as short text for the address: sixteen levels of gray, and runs of black.
 *
 * Such images have these levels alone, so that a link replays them exactly.
 */

export const WIDTH = 28;
export const PIXELS = WIDTH * WIDTH;

const LEVELS = 16;
const STEP = 255 / (LEVELS - 1);
const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SHORTEST_RUN = 2;
const LONGEST_RUN = SYMBOLS.length - LEVELS + SHORTEST_RUN - 1;

/* The nearest of the levels, as a byte, for a share from 0 to 1. */
export function level(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1)) * STEP;
}

export function writePixels(image) {
  let text = "";
  for (let at = 0; at < image.length; ) {
    let run = 0;
    while (run < LONGEST_RUN && image[at + run] === 0) run += 1;
    if (run < SHORTEST_RUN) run = 1;
    text += run === 1 ? SYMBOLS[image[at] / STEP] : SYMBOLS[LEVELS + run - SHORTEST_RUN];
    at += run;
  }
  return text;
}

/* The image, or null where the text is none, such as a link cut short. */
export function readPixels(text) {
  const values = [];
  for (const symbol of text) {
    const code = SYMBOLS.indexOf(symbol);
    if (code < 0 || values.length > PIXELS) return null;
    if (code < LEVELS) values.push(code * STEP);
    else values.push(...new Array(code - LEVELS + SHORTEST_RUN).fill(0));
  }
  return values.length === PIXELS ? Uint8Array.from(values) : null;
}
