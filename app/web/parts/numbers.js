/* Formats numbers for the page. */

/* Three digits at least: "2.51", "59.6", "155". */
export function formatShort(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

export function formatMs(value) {
  return value === undefined || value === null ? "–" : formatShort(value);
}

/* With a minus sign, which is as wide as a digit. */
export function formatNats(value) {
  return value.toFixed(1).replace("-", "−");
}

/* "1 image", "16 images". */
export function countOf(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
