/* Sends requests to the service, arrays as npy, and turns whatever goes wrong into one sentence. */

import { dumpNpy, parseNpy } from "./npy.js";

const NPY = "application/x-npy";
const KEY = "triptych-api-key";

let onKeyNeeded = () => {};

/* An answer that isn't one: `message` is a sentence for the visitor. */
export class ServiceProblem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export function setKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function keyNeeded(listener) {
  onKeyNeeded = listener;
}

/*
 * Ask the service, and return {array, json, timings, provenance}.
 *
 * `path` and `query` are the address, `body` an array to send as npy. `as` is "npy", with the answer's first array or
 * the one that `query.output` names, or "json". `timings` are milliseconds: queue, model and total as the server has
 * them, and `all`, from here and back.
 */
export async function request({ path, query = {}, body = null, as = "npy" }, { signal } = {}) {
  const headers = { Accept: as === "npy" ? NPY : "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["X-API-Key"] = key;
  if (body) headers["Content-Type"] = NPY;
  const begun = performance.now();
  const response = await send(addressOf(path, query), {
    method: body ? "POST" : "GET",
    headers,
    body: body && dumpNpy(body),
    signal,
    cache: "no-store",
  });
  if (!response.ok) throw await readProblem(response);
  const isNpy = response.headers.get("Content-Type") === NPY;
  const array = isNpy ? parseNpy(await response.arrayBuffer()) : null;
  const json = isNpy ? null : await response.json();
  return {
    array,
    json,
    timings: { ...readTimings(response), all: performance.now() - begun },
    provenance: json ?? readProvenance(response),
  };
}

export function addressOf(path, query = {}) {
  const text = String(new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null)));
  return text ? `${path}?${text}` : path;
}

/* What the service says of an error, as a sentence. */
export function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

/* Whether it only means that nobody waits for that answer any more. */
export function isOvertaken(error) {
  return error.name === "AbortError";
}

async function send(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (isOvertaken(error)) throw error;
    throw new ServiceProblem("The server can't be reached; this page tries again by itself.", 0);
  }
}

async function readProblem(response) {
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) onKeyNeeded(sessionStorage.getItem(KEY) !== null);
  return new ServiceProblem(sentence(problem.detail ?? `the server answered with status ${response.status}`), response.status);
}

function readTimings(response) {
  const parts = (response.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g);
  return Object.fromEntries([...parts].map(([, name, duration]) => [name, Number(duration)]));
}

function readProvenance(response) {
  const names = ["framework", "framework_version", "device", "checkpoint", "seed"];
  return Object.fromEntries(
    names.map((name) => [name, response.headers.get(`X-Triptych-${name.replaceAll("_", "-")}`)]),
  );
}
