/*
 * Two lanes for each framework, of pictures and of other results. Each sends one request at a time, and queues only the
 * latest request of each kind. With three frameworks that is as many as a browser sends at once to one server.
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
    return [...this.#lanes.values()].some((lane) => lane.current);
  }

  /*
   * Send a request to the framework of its query, as `request` does. Requests of different `kind` don't overtake each
   * other. A request `aside` doesn't delay pictures.
   * Throws an AbortError if overtaken, else a ServiceProblem.
   */
  ask({ kind = "", live = false, aside = false, ...parameters }) {
    const { framework } = parameters.query;
    const lane = this.#laneOf(aside ? `${framework} aside` : framework);
    lane.queue.get(kind)?.reject(abortError());
    if (lane.current?.kind === kind && !(live && lane.current.live)) lane.current.controller.abort();
    return new Promise((resolve, reject) => {
      const controller = new AbortController();
      // A request keeps the turn of the one that it replaces: else the kind that changes most would wait longest.
      lane.queue.set(kind, { kind, live, parameters, controller, resolve, reject });
      this.#next(lane);
    });
  }

  /* Cancel all requests, waiting and in flight. */
  drop() {
    for (const lane of this.#lanes.values()) {
      for (const call of lane.queue.values()) call.reject(abortError());
      lane.queue.clear();
      lane.current?.controller.abort();
    }
  }

  #laneOf(name) {
    if (!this.#lanes.has(name)) this.#lanes.set(name, { current: null, queue: new Map() });
    return this.#lanes.get(name);
  }

  async #next(lane) {
    if (lane.current || lane.queue.size === 0) return;
    const [call] = lane.queue.values();
    lane.queue.delete(call.kind);
    lane.current = call;
    this.#onBusy();
    try {
      call.resolve(await request(call.parameters, { signal: call.controller.signal }));
    } catch (error) {
      if (!isOvertaken(error) && (error.status === 0 || error.status === 503)) this.#onTrouble();
      call.reject(error);
    }
    lane.current = null;
    this.#onBusy();
    this.#next(lane);
  }
}

function abortError() {
  return new DOMException("A newer request replaced this one.", "AbortError");
}
