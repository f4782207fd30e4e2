/* The frameworks that the service has, as `/frameworks` lists them: names, looks, models, and which are ready. Polled. */

import { paintFrameworks } from "../frame/palette.js";
import { countOf } from "../parts/numbers.js";
import { ServiceProblem, nameAs, request, sentence } from "./client.js";

const CALM_MS = 10_000;
const TROUBLED_MS = 1_500;
// The page has no panels of such frameworks.
const ABSENT = ["not_installed", "no_model", "other_size"];
const MNIST = ["mnist", "binarized_mnist"];
const NUMBERS = ["no", "one", "two", "three", "four", "five", "six"];

const entries = new Map();

/* A framework's name in prose. */
export function titleOf(name) {
  return entries.get(name)?.title ?? name;
}

/* A framework's marker: "o" circle, "s" square, "^" triangle, "D" diamond. */
export function markerOf(name) {
  return entries.get(name)?.marker ?? "o";
}

/* Add titles, markers and colors of frameworks that aren't served, but are in a report. */
export function introduce(list) {
  for (const entry of list) {
    if (!entries.has(entry.framework)) entries.set(entry.framework, entry);
    nameAs(entry.framework, entry.title);
  }
  paintFrameworks(list);
}

/* "one framework", "three frameworks". */
export function spellCount(count, noun = "framework") {
  return countOf(count, noun).replace(/^\d+/, (digits) => NUMBERS[digits] ?? digits);
}

export class Frameworks {
  #listeners = [];
  #timer = null;
  #isPolling = false;

  /* Entries of `/frameworks`: {framework, title, color, marker, ready, status, reason, model, ...}; empty until known. */
  list = [];

  /* A sentence if the service itself doesn't respond, or null. */
  problem = null;

  /* True if the service rejected the request because an API key is missing or wrong. */
  needsKey = false;

  /* A sentence about models that the page leaves out, or "". */
  get advice() {
    if (this.list.length > 0 && this.names.length === 0 && this.model) return `There is no model “${this.model}” here: choose another.`;
    const omittedEntries = this.list.filter(({ status }) => status === "other_size" || this.names.length === 0);
    return omittedEntries.map(({ reason }) => sentence(reason)).join(" ");
  }

  /* Names of the frameworks that have panels, in the service's order, which is the order of everything on this page. */
  get names() {
    return this.list.filter(({ status }) => !ABSENT.includes(status)).map(({ framework }) => framework);
  }

  /* Names of the frameworks that can compute now. */
  get ready() {
    return this.problem ? [] : this.list.filter(({ ready }) => ready).map(({ framework }) => framework);
  }

  /* Names of the frameworks that the page's texts count: those that can compute, or all until one can. */
  get active() {
    return this.ready.length > 0 ? this.ready : this.names;
  }

  /* Height and width of the models' images, or null while no model is loaded. */
  get imageShape() {
    return this.list.find(({ model }) => model)?.model.image_shape ?? null;
  }

  /* Number of latents of a framework's model, or null while it isn't loaded. */
  latentsOf(name) {
    return this.entryOf(name)?.model?.latent_dim ?? null;
  }

  /* True if the models take MNIST's test digits: 28 x 28 pixels, and no other data set in their metadata. */
  get takesMnist() {
    const loadedEntries = this.list.filter(({ model }) => model);
    return loadedEntries.every(({ model, training }) =>
      model.image_shape.join() === "28,28" && MNIST.includes((training?.dataset ?? "mnist").split(":").at(-1)));
  }

  /* Entries of `/models`: {framework, name, state, ...}; null until known. */
  models = null;

  /* The model that every tab uses, as the page's address names it; null is the service's default. */
  model = new URLSearchParams(location.search).get("model");
  #defaultModel = null;

  /* The name of that model, or of the default. */
  get modelName() {
    return this.model ?? this.#defaultModel;
  }

  /* Names of all models, of any framework. */
  get modelNames() {
    return [...new Set(this.models?.map(({ name }) => name) ?? [])];
  }

  /* The parameters of a request to a framework; `weights` is the framework that trained the checkpoint. */
  queryOf(framework, weights = null, epoch = null) {
    return {
      framework,
      ...(this.model && { model: this.model }),
      ...(weights && { weights }),
      ...(epoch !== null && { epoch }),
    };
  }

  /* The epochs of the snapshots that a framework's model has. */
  epochsOf(framework) {
    const model = this.models?.find((entry) => entry.framework === framework && entry.name === this.modelName);
    return model?.snapshots.map(({ epoch }) => epoch) ?? [];
  }

  entryOf(name) {
    return this.list.find(({ framework }) => framework === name);
  }

  /* Call back now and after every change. */
  subscribe(listener) {
    this.#listeners.push(listener);
    listener();
  }

  start() {
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    this.poll();
  }

  /* A framework's entry, with the model that the address names in place of its default. */
  #withModel(entry) {
    if (this.model === null || this.models === null || ABSENT.includes(entry.status)) return entry;
    const model = this.models.find(({ framework, name }) => framework === entry.framework && name === this.model);
    if (!model) {
      // No model rather than the default one, whose images may have another size.
      return omit(entry, "no_model", `${entry.title} has no model "${this.model}"`);
    }
    return {
      ...entry,
      // The first request loads the model.
      ready: entry.ready && model.state !== "failed",
      status: model.state === "failed" ? "failed" : entry.status,
      reason: model.reason ?? entry.reason,
      checkpoint: model.checkpoint,
      model: model.image_shape && { image_shape: model.image_shape, latent_dim: model.latent_dim },
      training: { dataset: model.dataset },
    };
  }

  /* Omit frameworks whose images have another size than the first framework's: canvas, examples and pictures have one size. */
  #withOneSize(list) {
    const first = list.find(({ model }) => model);
    return list.map((entry) => (!entry.model || sizeOf(entry) === sizeOf(first)
      ? entry
      : omit(entry, "other_size", `${entry.title} is left out: its images have ${sizeOf(entry)} pixels, ${first.title}'s ${sizeOf(first)}`)));
  }

  /* Poll now instead of at the next interval. */
  async poll() {
    if (this.#isPolling) return;
    this.#isPolling = true;
    clearTimeout(this.#timer);
    const previousState = this.#state();
    try {
      const signal = AbortSignal.timeout(CALM_MS);
      const [{ json }, models] = await Promise.all(
        ["/frameworks", "/models"].map((path) => request({ path, format: "json" }, { signal })));
      this.models = models.json.models;
      this.#defaultModel = models.json.default_model;
      this.list = this.#withOneSize(json.frameworks.map((entry) => this.#withModel(entry)));
      for (const entry of this.list) {
        entries.set(entry.framework, entry);
        nameAs(entry.framework, entry.title);
      }
      this.problem = null;
      this.needsKey = false;
    } catch (error) {
      this.problem = error instanceof ServiceProblem ? error.message : "The server is slow to respond. Retrying…";
      this.needsKey = error.status === 401;
    }
    this.#isPolling = false;
    const isCalm = !this.problem && this.list.every(({ ready, status }) => ready || ABSENT.includes(status));
    if (!document.hidden) this.#timer = setTimeout(() => this.poll(), isCalm ? CALM_MS : TROUBLED_MS);
    if (this.#state() !== previousState) for (const listener of this.#listeners) listener();
  }

  #state() {
    return JSON.stringify([this.list, this.models, this.problem]);
  }
}

function omit(entry, status, reason) {
  return { ...entry, ready: false, status, model: null, training: null, reason };
}

/* Width and height of the images, as the page writes them. */
function sizeOf({ model: { image_shape: [height, width] } }) {
  return `${width} × ${height}`;
}
