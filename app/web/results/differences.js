/* Compares the frameworks' pictures: where they differ, how much, and which two differ most. */

/*
 * Return {spread, largest, pair, factor} for a map of images by framework, or null for fewer than two images: `spread` is the
 * largest minus the smallest value of each pixel, `pair` the two frameworks that differ by `largest`, in the map's order,
 * and `factor` amplifies them visibly.
 */
export function differ(images) {
  const names = [...images.keys()];
  if (names.length < 2) return null;
  const length = images.get(names[0]).length;
  const spread = new Float32Array(length);
  let [largest, pair] = [-1, null];
  for (let pixel = 0; pixel < length; pixel += 1) {
    let [lowest, highest] = names;
    for (const name of names) {
      if (images.get(name)[pixel] < images.get(lowest)[pixel]) lowest = name;
      if (images.get(name)[pixel] > images.get(highest)[pixel]) highest = name;
    }
    spread[pixel] = images.get(highest)[pixel] - images.get(lowest)[pixel];
    if (spread[pixel] > largest) {
      largest = spread[pixel];
      pair = names.filter((name) => name === lowest || name === highest);
    }
  }
  return { spread, largest, pair, factor: amplification(largest) };
}

/* The largest of 1, 2, 5, 10, 20, … that doesn't amplify the largest difference beyond 1. */
function amplification(largest) {
  if (largest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(1 / largest));
  return Math.max(1, [5, 2, 1].map((step) => step * power).find((factor) => factor * largest <= 1) ?? 1);
}

/* "identical", "not amplified" or "× 1,000,000". */
export function describeAmplification(largest) {
  if (largest === 0) return "identical";
  const factor = amplification(largest);
  return factor === 1 ? "not amplified" : `×\u00a0${factor.toLocaleString("en")}`;
}

/* Convert levels from 0 to 255 to probabilities; leave probabilities unchanged. */
export function toProbs(data) {
  return data instanceof Uint8Array ? Float32Array.from(data, (value) => value / 255) : data;
}
