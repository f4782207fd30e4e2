/* How far apart several frameworks' pictures are: where, how much, and which two. */

import { TITLES } from "./frameworks.js";

/*
 * Return {spread, largest, pair} of images by framework's name, or null of fewer than two: `spread` is at each pixel
 * the largest less the smallest, `pair` the two names, in the page's order, that are furthest apart somewhere.
 */
export function differ(images) {
  const names = Object.keys(TITLES).filter((name) => images.has(name));
  if (names.length < 2) return null;
  const length = images.get(names[0]).length;
  const spread = new Float32Array(length);
  let [largest, pair] = [-1, null];
  for (let pixel = 0; pixel < length; pixel += 1) {
    let [low, high] = names;
    for (const name of names) {
      if (images.get(name)[pixel] < images.get(low)[pixel]) low = name;
      if (images.get(name)[pixel] > images.get(high)[pixel]) high = name;
    }
    spread[pixel] = images.get(high)[pixel] - images.get(low)[pixel];
    if (spread[pixel] > largest) {
      largest = spread[pixel];
      pair = names.filter((name) => name === low || name === high);
    }
  }
  return { spread, largest, pair };
}

/* The greatest of 1, 2, 5, 10, 20, ... that still shows the largest difference whole. */
export function amplification(largest) {
  if (largest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(1 / largest));
  return Math.max(1, [5, 2, 1].map((step) => step * power).find((factor) => factor * largest <= 1) ?? 1);
}
