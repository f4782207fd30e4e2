/* The frameworks that the service has, as `/frameworks` lists them: names, looks, models, and which are ready. Polled. */

import { paintFrameworks } from "../frame/palette.js";
import { countOf } from "../parts/numbers.js";
import { ServiceProblem, nameAs, request } from "./client.js";

const CALM_MS = 10_000;
const TROUBLED_MS = 1_500;
const ABSENT = ["not_installed", "no_model"];
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

/* Take names and looks of frameworks that aren't served, but are in a report. */
export function introduce(list) {
  for (const one of list) {
    if (!entries.has(one.framework)) entries.set(one.framework, one);
    nameAs(one.framework, one.title);
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

  /* Names of the installed frameworks, in the service's order, which is the order of everything on this page. */
  get names() {
    return this.list.filter((one) => !ABSENT.includes(one.status)).map((one) => one.framework);
  }

  /* Names of the frameworks that can compute now. */
  get ready() {
    return this.problem ? [] : this.list.filter((one) => one.ready).map((one) => one.framework);
  }

  /* Names of the frameworks that the page's words count: those that can compute, or all until one can. */
  get counted() {
    return this.ready.length > 0 ? this.ready : this.names;
  }

  /* Height and width of the models' images, or null while no model is loaded. */
  get imageShape() {
    return this.list.find((one) => one.model)?.model.image_shape ?? null;
  }

  /* Number of latents of a framework's model, or null while it isn't loaded. */
  latentsOf(name) {
    return this.of(name)?.model?.latent_dim ?? null;
  }

  /* True if the models take MNIST's test digits: 28 x 28 pixels, and no other data set in their metadata. */
  get takesMnist() {
    const models = this.list.filter((one) => one.model);
    return models.every(({ model, training }) =>
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
    return [...new Set(this.models?.map((one) => one.name) ?? [])];
  }

  /* The parameters of a request to a framework; `weights` names the framework whose checkpoint it is to load. */
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
    const model = this.models?.find((one) => one.framework === framework && one.name === this.modelName);
    return model?.snapshots.map(({ epoch }) => epoch) ?? [];
  }

  of(name) {
    return this.list.find((one) => one.framework === name) ?? null;
  }

  /* Call back now and after every change. */
  changed(listener) {
    this.#listeners.push(listener);
    listener();
  }

  start() {
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    this.poll();
  }

  /* A framework's entry, with the model that the address names in place of its default. */
  #withModel(one) {
    if (this.model === null || this.models === null || ABSENT.includes(one.status)) return one;
    const model = this.models.find(({ framework, name }) => framework === one.framework && name === this.model);
    if (!model) {
      // Without the default model, whose images may have another size.
      const reason = `${one.title} has no model "${this.model}"`;
      return { ...one, ready: false, status: "no_model", model: null, training: null, reason };
    }
    return {
      ...one,
      // It is loaded by the first request.
      ready: one.ready && model.state !== "failed",
      status: model.state === "failed" ? "failed" : one.status,
      reason: model.reason ?? one.reason,
      checkpoint: model.checkpoint,
      model: model.image_shape && { image_shape: model.image_shape, latent_dim: model.latent_dim },
      training: { dataset: model.dataset },
    };
  }

  /* Poll now instead of at the next interval. */
  async poll() {
    if (this.#isPolling) return;
    this.#isPolling = true;
    clearTimeout(this.#timer);
    const before = JSON.stringify([this.list, this.models, this.problem]);
    try {
      const signal = AbortSignal.timeout(CALM_MS);
      const [{ json }, models] = await Promise.all(
        ["/frameworks", "/models"].map((path) => request({ path, as: "json" }, { signal })));
      this.models = models.json.models;
      this.#defaultModel = models.json.default_model;
      this.list = json.frameworks.map((one) => this.#withModel(one));
      for (const one of this.list) {
        entries.set(one.framework, one);
        nameAs(one.framework, one.title);
      }
      this.problem = null;
      this.needsKey = false;
    } catch (error) {
      this.problem = error instanceof ServiceProblem ? error.message : "The server is slow to respond. Retrying…";
      this.needsKey = error.status === 401;
    }
    this.#isPolling = false;
    const calm = !this.problem && this.list.every((one) => one.ready || ABSENT.includes(one.status));
    if (!document.hidden) this.#timer = setTimeout(() => this.poll(), calm ? CALM_MS : TROUBLED_MS);
    if (JSON.stringify([this.list, this.models, this.problem]) !== before) for (const listener of this.#listeners) listener();
  }
}
