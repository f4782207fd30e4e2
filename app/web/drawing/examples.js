/* Images to start from, and the latent map: the bundled test digits, a model's companion files, or samples from the prior. */

import { request } from "../api/client.js";
import { imageSize } from "./pixels.js";
import { loadDigits, loadFirstDigits, loadLatentMap, readMosaic } from "./test_digits.js";

const SAMPLES = 16;
const SEED = 7;
const NONE = { count: 0, labels: null, image: () => null };

/*
 * Images that can't be fetched are none: the page works without examples, and its panels show the service's problem.
 *
 * Return {noun, one, words, loadFirst(), loadAll(), loadMap()}. `noun` is the page's word for the models' images, `one` the
 * same with its article. Images are {count, labels, image(index)}, with `labels` null where there are none; `loadFirst` has at least those that are shown at first. The map is {frameworks: {name: {checkpoint, points,
 * center, axes, explained, kl, to}}}, without those that have none.
 */
export function makeExamples(frameworks) {
  const owners = frameworks.models?.filter((one) => one.name === frameworks.modelName && one.companion) ?? [];
  const companions = once(() => Promise.all(owners.map(loadCompanion)));
  const loadOwnMap = async () => ({
    frameworks: Object.fromEntries((await companions().catch(() => [])).filter((one) => one.map).map((one) =>
      [one.framework, { checkpoint: one.checkpoint, ...one.map, kl: one.kl, to: one.to }])),
  });
  if (frameworks.takesMnist) {
    return {
      noun: "digit",
      one: "a digit",
      words: "test digit",
      loadFirst: () => loadFirstDigits().catch(() => NONE),
      loadAll: () => loadDigits().catch(() => NONE),
      // A companion file has the same test digits.
      async loadMap() {
        const map = await loadLatentMap().catch(() => ({ frameworks: {} }));
        return owners.every(({ framework, checkpoint }) => map.frameworks[framework]?.checkpoint === checkpoint) ? map : loadOwnMap();
      },
    };
  }
  const images = once(() =>
    (owners.length > 0 ? companions().then(([first]) => readExamples(first)) : sample(frameworks)).catch(() => NONE));
  return { noun: "image", one: "an image", words: owners.length > 0 ? "test image" : "sample", loadFirst: images, loadAll: images, loadMap: loadOwnMap };
}

/* Call a function on first use; a call that failed or found nothing is repeated on the next use. */
function once(load) {
  let promise = null;
  return async () => {
    promise ??= load();
    try {
      const found = await promise;
      if (found.count === 0) promise = null;
      return found;
    } catch (error) {
      promise = null;
      throw error;
    }
  };
}

async function loadCompanion({ framework, name }) {
  return (await request({ path: `/models/${framework}/${name}/companion`, as: "json" })).json;
}

async function readExamples({ examples: { count, labels, png } }) {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
  const image = await readMosaic(new Blob([bytes], { type: "image/png" }), [imageSize.height, imageSize.width]);
  return { count, labels, image };
}

/* Samples from the prior, for a model that has no companion file. */
async function sample(frameworks) {
  const [framework] = frameworks.ready;
  if (!framework) return NONE;
  const query = { ...frameworks.queryOf(framework), n: SAMPLES, seed: SEED };
  const { array } = await request({ path: "/sample", query });
  const size = imageSize.pixels;
  const image = (index) => Uint8Array.from(array.data.subarray(index * size, (index + 1) * size), (value) => Math.round(value * 255));
  return { count: SAMPLES, labels: null, image };
}
