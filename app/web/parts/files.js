/* Saves results as files: canvases as PNG, arrays as npy, tables as CSV. */

import { element } from "./elements.js";
import { dumpNpy } from "../api/npy.js";

export async function savePng(canvas, name) {
  save(await new Promise((resolve) => canvas.toBlob(resolve, "image/png")), `${name}.png`);
}

export function saveNpy(array, name) {
  save(new Blob([dumpNpy(array)], { type: "application/x-npy" }), `${name}.npy`);
}

/* `rows` have texts and numbers, the header first; null is an empty field. */
export function saveCsv(rows, name) {
  const quote = (value) => (typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : (value ?? ""));
  const text = rows.map((row) => `${row.map(quote).join(",")}\r\n`).join("");
  save(new Blob([text], { type: "text/csv" }), `${name}.csv`);
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
