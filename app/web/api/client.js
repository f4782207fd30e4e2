/* Sends requests to the service, arrays as npy, and turns every failure into one sentence for the visitor. */

import { dumpNpy, parseNpy } from "./npy.js";
import { readPng } from "./png.js";

const TYPES = { npy: "application/x-npy", png: "image/png", json: "application/json" };
const KEY = "triptych-api-key";

/* For problems that a visitor can't do anything about. */
const SHORT_MESSAGES = {
  401: "An API key is needed: see the top of the page.",
  429: "The server is busy. Try again in a moment.",
  503: "Not available right now. Retrying…",
  504: "That took too long. Try again in a moment.",
};

const titles = new Map();
let onKeyNeeded = () => {};

/* A failed request: `message` is a short sentence for the visitor, `details` the service's own words, if it had any. */
export class ServiceProblem extends Error {
  constructor(message, status, details = "") {
    super(message);
    this.status = status;
    this.details = details;
  }
}

export function setKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function keyNeeded(listener) {
  onKeyNeeded = listener;
}

/*
 * Send a request, and return {array, timings}, or {json, timings} for the format "json".
 *
 * `path` and `query` are the address, `body` an array to send as npy. `format` is that of the response: "npy" (its first
 * array, or the one that `query.output` names), "json", or "png" (one image, as bytes: smallest, but rounded).
 * `timings` are in milliseconds: queue, model and total as the server measured them, and roundTrip.
 */
export async function request({ path, query = {}, body = null, format = "npy" }, { signal } = {}) {
  const headers = { Accept: TYPES[format] };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["X-API-Key"] = key;
  if (body) headers["Content-Type"] = TYPES.npy;
  const startTime = performance.now();
  const response = await send(addressOf(path, query), {
    method: body ? "POST" : "GET",
    headers,
    body: body && dumpNpy(body),
    signal,
    cache: "no-store",
  });
  if (!response.ok) throw await readProblem(response);
  return { ...(await READERS[format](response)), timings: { ...readTimings(response), roundTrip: performance.now() - startTime } };
}

const READERS = {
  json: async (response) => ({ json: await response.json() }),
  npy: async (response) => ({ array: parseNpy(await response.arrayBuffer()) }),
  async png(response) {
    const { width, height, crop } = await readPng(await response.blob());
    return { array: { shape: [1, height, width], data: crop(0, 0, width, height) } };
  },
};

/* The full address of a route, relative to the page's: a proxy may serve both under a prefix. */
export function addressOf(path, query = {}) {
  const text = String(new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null)));
  return new URL(`.${text ? `${path}?${text}` : path}`, document.baseURI).href;
}

/* Use a framework's title in sentences. */
export function nameAs(framework, title) {
  titles.set(framework, title);
}

/* The service's description of an error, as a sentence. Names in paths, options and commands stay as they are. */
export function sentence(text) {
  const textWithTitles = text.replace(/(?<![\w/.=`[-]|--frameworks? )[a-z]+(?![\w/=`\]-]|\.\w)/g, (word) => titles.get(word) ?? word);
  const capitalized = textWithTitles.replace(/^[a-z]+(?![\w/=-]|\.\w)/, (word) => `${word[0].toUpperCase()}${word.slice(1)}`);
  return `${capitalized}${capitalized.endsWith(".") ? "" : "."}`;
}

/* Return true if the request was cancelled because a newer one replaced it. */
export function isOvertaken(error) {
  return error.name === "AbortError";
}

async function send(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    // Not a failure of the network, but cancelled, or too slow for the caller.
    if (!(error instanceof TypeError)) throw error;
    throw new ServiceProblem("Can't reach the server. Retrying…", 0);
  }
}

async function readProblem(response) {
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) onKeyNeeded(sessionStorage.getItem(KEY) !== null);
  const details = sentence(problem.detail ?? `the server responded with status ${response.status}`);
  return new ServiceProblem(SHORT_MESSAGES[response.status] ?? details, response.status, details);
}

function readTimings(response) {
  const parts = (response.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g);
  return Object.fromEntries([...parts].map(([, name, duration]) => [name, Number(duration)]));
}
