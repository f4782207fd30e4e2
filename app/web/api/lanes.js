/*
 * Two queues for each framework, of pictures and of what is computed aside: one request at a time, and only the latest
 * waiting request of each kind. With three frameworks that is as many as a browser sends at once to one server.
 *
 * A request that is overtaken while waiting is never sent. One that is overtaken in flight is cancelled, unless both are
 * part of a stream (`live`, as while drawing): then it may finish, so that the picture keeps moving.
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
   * Send a request to a framework, as `request` does. Requests of different `kind` don't overtake each other. One that
   * is computed `aside` doesn't delay pictures.
   * Throws an AbortError if overtaken, else a ServiceProblem.
   */
  ask({ framework, kind = "", live = false, aside = false, ...what }) {
    const lane = this.#laneOf(aside ? `${framework} aside` : framework);
    lane.waiting.get(kind)?.reject(overtaken());
    if (lane.running?.kind === kind && !(live && lane.running.live)) lane.running.controller.abort();
    const query = { framework, ...what.query };
    return new Promise((resolve, reject) => {
      const controller = new AbortController();
      // In the place of one that it replaces: else what changes most would wait longest.
      lane.waiting.set(kind, { kind, live, what: { ...what, query }, controller, resolve, reject });
      this.#next(lane);
    });
  }

  /* Cancel all requests, waiting and in flight. */
  drop() {
    for (const lane of this.#lanes.values()) {
      for (const call of lane.waiting.values()) call.reject(overtaken());
      lane.waiting.clear();
      lane.running?.controller.abort();
    }
  }

  #laneOf(name) {
    if (!this.#lanes.has(name)) this.#lanes.set(name, { running: null, waiting: new Map() });
    return this.#lanes.get(name);
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
  return new DOMException("A newer request replaced this one.", "AbortError");
}
