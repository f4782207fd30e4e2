/* Writes a request of this page as a curl command or a Python script that contains all it sends. */

import { addressOf } from "./client.js";
import { dumpNpy } from "./npy.js";

const READABLE_NUMBERS = 64;

/* `request` as in `client.js`. Few numbers are written out as JSON, in the member `field`; many are sent as npy. */
export function asCurl({ path, query, body = null, field = "latents" }, { as = "json" } = {}) {
  const url = `'${addressOf(path, { ...query, format: as })}'`;
  const end = as === "json" ? "" : ` -o result.${as}`;
  if (!body) return `curl -sS --fail-with-body${end} ${url}\n`;
  if (isReadable(body)) {
    const json = `{"${field}": ${listOf(body)}}`;
    return `curl -sS --fail-with-body${end} -H 'Content-Type: application/json' \\\n  -d '${json}' \\\n  ${url}\n`;
  }
  return `echo '${base64(dumpNpy(body))}' | base64 -d |
  curl -sS --fail-with-body${end} -H 'Content-Type: application/x-npy' --data-binary @- \\
  ${url}\n`;
}

/* The member of each route's response that a script prints. */
const PRINTED = { "/reconstruct": "elbo", "/score": "elbo", "/encode": "mean", "/compare": "max_abs_difference" };
const WITHOUT_PICTURE = ["/compare", "/encode", "/score"];

/* A script of the standard library alone, which prints the main figures and saves the picture, if there is one. */
export function asPython({ path, query, body = null, field = "latents" }) {
  const url = addressOf(path, query);
  const picture = addressOf(path, { ...query, format: "png" });
  const [imports, data, headers] = pythonBody(body, field);
  const request = (name) => (data ? `Request(${name}, data, headers)` : `Request(${name})`);
  const printed = PRINTED[path];
  return [
    `${imports}from urllib.request import Request, urlopen`,
    "",
    ...(data ? [`data = ${data}`, `headers = ${headers}`] : []),
    `url = ${JSON.stringify(url)}`,
    `result = json.load(urlopen(${request("url")}))`,
    ...(printed ? [`print("${printed}:", result["${printed}"])`] : []),
    ...(WITHOUT_PICTURE.includes(path) ? [] : [
      `picture = urlopen(${request(JSON.stringify(picture))}).read()`,
      'open("result.png", "wb").write(picture)',
      'print("saved result.png")',
    ]),
    "",
  ].join("\n");
}

function pythonBody(body, field) {
  if (!body) return ["import json\n", null, null];
  if (isReadable(body)) {
    return ["import json\n", `json.dumps({"${field}": ${listOf(body)}}).encode()`, '{"Content-Type": "application/json"}'];
  }
  const npy = `base64.b64decode("${base64(dumpNpy(body))}")`;
  return ["import base64\nimport json\n", npy, '{"Content-Type": "application/x-npy"}'];
}

/* The shortest decimal that rounds to the same float32. */
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
