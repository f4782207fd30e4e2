/*
 * One lane for each framework: a request at a time, and of those that wait only the latest of its kind.
 *
 * What is overtaken while it waits is never sent. What is overtaken on its way is cancelled, unless it is one of a
 * stream (`live`), as while a hand is drawing: then it may arrive, so that there is something to see.
 */

import { isOvertaken, request } from "./client.js";

export class Lanes {
  #lanes = new Map();
  #onTrouble;
  #onBusy;

  constructor({ onTrouble, onBusy }) {
    this.#onTrouble = onTrouble;
    this.#onBusy = onBusy;
  }

  get isBusy() {
    return [...this.#lanes.values()].some((lane) => lane.running);
  }

  /*
   * Ask a framework, as `request` does, with `framework` as a part of the query; `kind` tells requests apart that don't
   * overtake each other. Throws an AbortError when overtaken, and else a ServiceProblem.
   */
  ask({ framework, kind = "", live = false, ...what }) {
    const lane = this.#laneOf(framework);
    lane.waiting.get(kind)?.reject(overtaken());
    if (lane.running?.kind === kind && !(live && lane.running.live)) lane.running.controller.abort();
    const query = { framework, ...what.query };
    return new Promise((resolve, reject) => {
      // What comes last has waited least.
      lane.waiting.delete(kind);
      const controller = new AbortController();
      lane.waiting.set(kind, { kind, live, what: { ...what, query }, controller, resolve, reject });
      this.#next(lane);
    });
  }

  /* Cancel whatever waits or runs. */
  drop() {
    for (const lane of this.#lanes.values()) {
      for (const call of lane.waiting.values()) call.reject(overtaken());
      lane.waiting.clear();
      lane.running?.controller.abort();
    }
  }

  #laneOf(framework) {
    if (!this.#lanes.has(framework)) this.#lanes.set(framework, { running: null, waiting: new Map() });
    return this.#lanes.get(framework);
  }

  async #next(lane) {
    if (lane.running || lane.waiting.size === 0) return;
    const [call] = lane.waiting.values();
    lane.waiting.delete(call.kind);
    lane.running = call;
    this.#onBusy();
    try {
      call.resolve(await request(call.what, { signal: call.controller.signal }));
    } catch (error) {
      if (!isOvertaken(error) && (error.status === 0 || error.status === 503)) this.#onTrouble();
      call.reject(error);
    }
    lane.running = null;
    this.#onBusy();
    this.#next(lane);
  }
}

function overtaken() {
  return new DOMException("A newer request took its place.", "AbortError");
}
