/* Images to start from, and the latent map: the bundled test digits, a model's companion files, or samples from the prior. */

import { request } from "../api/client.js";
import { imageAt } from "../api/npy.js";
import { imageSize } from "./pixels.js";
import { loadDigits, loadFirstDigits, loadLatentMap, once, readMosaic } from "./test_digits.js";

const SAMPLES = 16;
const SEED = 7;
const NO_IMAGES = { count: 0, labels: null, image: () => null };

/*
 * Return {noun, nounWithArticle, exampleNoun, loadFirst(), loadAll(), loadMap()}. `noun` is the page's word for the models'
 * images, `exampleNoun` for the examples. `loadAll` returns {count, labels, image(index)}, with null for unknown labels;
 * `loadFirst` returns at least the images that are shown at first. `loadMap` returns {frameworks: {name: {checkpoint, points,
 * center, axes, explained, kl, to}}}, without frameworks that have no map.
 *
 * If images can't be fetched, their count is 0: the page works without examples, and its panels show the service's problem.
 */
export function makeExamples(frameworks) {
  const models = frameworks.models?.filter(({ framework, name, companion }) =>
    name === frameworks.modelName && companion && frameworks.names.includes(framework)) ?? [];
  const loadCompanions = once(() => Promise.all(models.map(loadCompanion)));
  const loadCompanionMap = async () => ({
    frameworks: Object.fromEntries((await loadCompanions().catch(() => [])).filter(({ map }) => map).map(
      ({ framework, checkpoint, map, kl, to }) => [framework, { checkpoint, ...map, kl, to }])),
  });
  if (frameworks.takesMnist) {
    return {
      noun: "digit",
      nounWithArticle: "a digit",
      exampleNoun: "test digit",
      loadFirst: () => loadFirstDigits().catch(() => NO_IMAGES),
      loadAll: () => loadDigits().catch(() => NO_IMAGES),
      // A companion file has the same test digits.
      async loadMap() {
        const map = await loadLatentMap().catch(() => ({ frameworks: {} }));
        return models.every(({ framework, checkpoint }) => map.frameworks[framework]?.checkpoint === checkpoint) ? map : loadCompanionMap();
      },
    };
  }
  const loadImages = once(() =>
    (models.length > 0 ? loadCompanions().then(([companion]) => readExamples(companion)) : sample(frameworks)).catch(() => NO_IMAGES));
  return {
    noun: "image",
    nounWithArticle: "an image",
    exampleNoun: models.length > 0 ? "test image" : "sample",
    loadFirst: loadImages,
    loadAll: loadImages,
    loadMap: loadCompanionMap,
  };
}

async function loadCompanion({ framework, name }) {
  return (await request({ path: `/models/${framework}/${name}/companion`, format: "json" })).json;
}

async function readExamples({ examples: { count, labels, png } }) {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
  const image = await readMosaic(new Blob([bytes], { type: "image/png" }), [imageSize.height, imageSize.width]);
  return { count, labels, image };
}

/* Samples from the prior, for a model that has no companion file. */
async function sample(frameworks) {
  const [framework] = frameworks.ready;
  if (!framework) return NO_IMAGES;
  const query = { ...frameworks.queryOf(framework), n: SAMPLES, seed: SEED };
  const { array } = await request({ path: "/sample", query });
  const image = (index) => Uint8Array.from(imageAt(array, index).data, (value) => Math.round(value * 255));
  return { count: SAMPLES, labels: null, image };
}
