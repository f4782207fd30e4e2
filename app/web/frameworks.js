/* Which frameworks the service has and which answer: asked for again and again, so that all comes back by itself. */

import { ServiceProblem, request } from "./client.js";

const CALM_MS = 10_000;
const TROUBLED_MS = 1_500;

/* The frameworks' names as people write them, in the order of everything on this page. */
export const TITLES = { jax: "JAX", tensorflow: "TensorFlow", pytorch: "PyTorch" };

export class Frameworks {
  #listeners = [];
  #timer = null;
  #looking = false;

  /* As `/frameworks` has them: {framework, ready, status, reason, framework_version, ...}; empty until known. */
  list = [];

  /* A sentence, where the service itself doesn't answer. */
  problem = null;

  /* Whether that is because of a key. */
  needsKey = false;

  /* Names of those that answer. */
  get ready() {
    return this.problem ? [] : this.list.filter((one) => one.ready).map((one) => one.framework);
  }

  of(name) {
    return this.list.find((one) => one.framework === name) ?? null;
  }

  /* Call back now and whenever something has changed. */
  changed(listener) {
    this.#listeners.push(listener);
    listener();
  }

  start() {
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.look();
  }

  /* Ask anew, now. */
  async look() {
    if (this.#looking) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    const before = JSON.stringify([this.list, this.problem]);
    try {
      const { json } = await request({ path: "/frameworks", as: "json" }, { signal: AbortSignal.timeout(CALM_MS) });
      this.list = json.frameworks;
      this.problem = null;
      this.needsKey = false;
    } catch (error) {
      this.problem = error instanceof ServiceProblem ? error.message : "The server takes too long to answer.";
      this.needsKey = error.status === 401;
    }
    this.#looking = false;
    const calm = !this.problem && this.list.every((one) => one.ready || one.status === "not_installed");
    if (!document.hidden) this.#timer = setTimeout(() => this.look(), calm ? CALM_MS : TROUBLED_MS);
    if (JSON.stringify([this.list, this.problem]) !== before) for (const listener of this.#listeners) listener();
  }
}
