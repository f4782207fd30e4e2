/* NumPy's npy format, version 1.0, for float32 and uint8 arrays in C order. */

const MAGIC = "\x93NUMPY\x01\x00";

/* An array is {shape, data}, with data a Float32Array or a Uint8Array. */
export function parseNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  const start = 10 + (bytes[8] | (bytes[9] << 8));
  const header = new TextDecoder("latin1").decode(bytes.subarray(10, start));
  const descr = /'descr': '([^']*)'/.exec(header)?.[1];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").map((size) => size.trim()).filter(Boolean);
  const types = { "<f4": Float32Array, "|u1": Uint8Array };
  if (!types[descr]) throw new Error(`Can't read an array of type ${descr}.`);
  return { shape: shape.map(Number), data: new types[descr](buffer.slice(start)) };
}

export function dumpNpy({ shape, data }) {
  const descr = data instanceof Uint8Array ? "|u1" : "<f4";
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The format aligns the data to 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = `${text.padEnd(length - 1)}\n`;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set(Uint8Array.from(MAGIC, (character) => character.charCodeAt(0)));
  bytes[8] = length & 255;
  bytes[9] = length >> 8;
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return bytes;
}

/* One of an array's images, as an array of its own. */
export function imageAt({ shape: [, height, width], data }, index) {
  const size = height * width;
  return { shape: [1, height, width], data: data.subarray(index * size, (index + 1) * size) };
}

/* Stack rows of numbers, such as images or latents, into one array. */
export function stack(rows, type = Float32Array) {
  const data = new type(rows.length * rows[0].length);
  rows.forEach((row, index) => data.set(row, index * row.length));
  return { shape: [rows.length, rows[0].length], data };
}
