/* Formats numbers for the page. */

export function formatMs(value) {
  if (value === undefined || value === null) return "–";
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}

/* With a minus sign, which is as wide as a digit. */
export function formatNats(value) {
  return value.toFixed(1).replace("-", "−");
}

/* "1 image", "16 images". */
export function countOf(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
