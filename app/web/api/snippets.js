/* Writes a request of this page as a curl command, and as Python: what it sends is in the text. */

import { addressOf } from "./client.js";
import { dumpNpy } from "./npy.js";

const READABLE_NUMBERS = 64;

/* A request is what `client.js` takes; few numbers are written out as JSON, under `field`, many as npy. */
export function asCurl({ path, query, body = null, field = "latents" }, { as = "json" } = {}) {
  const url = `'${location.origin}${addressOf(path, { ...query, format: as })}'`;
  const end = as === "json" ? "" : ` -o answer.${as}`;
  if (!body) return `curl -sS --fail-with-body${end} ${url}\n`;
  if (isReadable(body)) {
    const json = `{"${field}": ${listOf(body)}}`;
    return `curl -sS --fail-with-body${end} -H 'Content-Type: application/json' \\\n  -d '${json}' \\\n  ${url}\n`;
  }
  return `echo '${base64(dumpNpy(body))}' | base64 -d |
  curl -sS --fail-with-body${end} -H 'Content-Type: application/x-npy' --data-binary @- \\
  ${url}\n`;
}

export function asPython({ path, query, body = null, field = "latents" }) {
  const url = JSON.stringify(`${location.origin}${addressOf(path, query)}`);
  if (!body) {
    return `import httpx  # pip install httpx

answer = httpx.get(${url}).raise_for_status().json()
print(answer.keys())
`;
  }
  if (isReadable(body)) {
    return `import httpx  # pip install httpx

${field} = ${listOf(body)}
answer = httpx.post(${url}, json={"${field}": ${field}}).raise_for_status().json()
print(answer.keys())
`;
  }
  return `import base64

import httpx  # pip install httpx

npy = base64.b64decode("${base64(dumpNpy(body))}")
headers = {"Content-Type": "application/x-npy"}
answer = httpx.post(${url}, content=npy, headers=headers).raise_for_status().json()
print(answer.keys())
`;
}

/* The shortest digits that are the same float32. */
export function shortest(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

function isReadable({ shape, data }) {
  return data instanceof Float32Array && shape.length === 2 && data.length <= READABLE_NUMBERS;
}

function listOf({ shape, data }) {
  const rows = Array.from({ length: shape[0] }, (_, row) => data.subarray(row * shape[1], (row + 1) * shape[1]));
  return `[${rows.map((row) => `[${Array.from(row, shortest).join(", ")}]`).join(", ")}]`;
}

function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
