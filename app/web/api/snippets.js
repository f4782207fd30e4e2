/* Writes a request of this page as a curl command or a Python script that contains all it sends. */

import { addressOf } from "./client.js";
import { dumpNpy } from "./npy.js";

const MAX_READABLE_NUMBERS = 64;

/* Takes a request as in `client.js`. A small array is written as JSON, in the member `field`; a large one as npy. */
export function asCurl({ path, query, body = null, field = "latents" }) {
  const url = `'${addressOf(path, { ...query, format: "json" })}'`;
  if (!body) return `curl -sS --fail-with-body ${url}\n`;
  if (isReadable(body)) {
    const json = `{"${field}": ${listOf(body)}}`;
    return `curl -sS --fail-with-body -H 'Content-Type: application/json' \\\n  -d '${json}' \\\n  ${url}\n`;
  }
  return `echo '${base64(dumpNpy(body))}' | base64 -d |
  curl -sS --fail-with-body -H 'Content-Type: application/x-npy' --data-binary @- \\
  ${url}\n`;
}

/* The member of each route's response that a script prints. */
const PRINTED_FIELDS = { "/reconstruct": "elbo", "/encode": "mean", "/compare": "max_abs_difference" };
const WITHOUT_PICTURE = ["/compare", "/encode"];

/* A script that needs only Python's standard library. It prints the main result and saves the picture, if there is one. */
export function asPython({ path, query, body = null, field = "latents" }) {
  const url = addressOf(path, query);
  const picture = addressOf(path, { ...query, format: "png" });
  const [imports, data, headers] = pythonBody(body, field);
  const request = (address) => `Request(${address}${data ? ", data, headers" : ""})`;
  const printedField = PRINTED_FIELDS[path];
  return [
    `${imports}from urllib.request import Request, urlopen`,
    "",
    ...(data ? [`data = ${data}`, `headers = ${headers}`] : []),
    `url = ${JSON.stringify(url)}`,
    `result = json.load(urlopen(${request("url")}))`,
    ...(printedField ? [`print("${printedField}:", result["${printedField}"])`] : []),
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
function shortestDecimal(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

function isReadable({ shape, data }) {
  return data instanceof Float32Array && shape.length === 2 && data.length <= MAX_READABLE_NUMBERS;
}

function listOf({ shape, data }) {
  const rows = Array.from({ length: shape[0] }, (_, row) => data.subarray(row * shape[1], (row + 1) * shape[1]));
  return `[${rows.map((row) => `[${Array.from(row, shortestDecimal).join(", ")}]`).join(", ")}]`;
}

function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
