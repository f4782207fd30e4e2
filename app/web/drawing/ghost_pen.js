/* Writes a digit on a visitor's very first visit, to show that the canvas is for drawing. */

const KEY = "triptych-visited";
const POINTS_PER_LINE = 4;
const STEP_MS = 45;

/* A 3 through these points, in shares of the canvas. */
const THREE = [
  [0.31, 0.26], [0.42, 0.18], [0.56, 0.18], [0.66, 0.27], [0.64, 0.38], [0.55, 0.46], [0.45, 0.49],
  [0.57, 0.5], [0.67, 0.58], [0.69, 0.7], [0.6, 0.8], [0.45, 0.83], [0.31, 0.76],
];

/* Return true on the first visit, unless the address is a shared link or the visitor prefers reduced motion. */
export function mayWrite() {
  const isFirst = localStorage.getItem(KEY) === null;
  localStorage.setItem(KEY, "yes");
  return isFirst && location.hash.length < 2 && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/* Write into a drawing of a size. Return {stop()}; `onDone()` is called at the end, unless stopped. */
export function writeDigit(drawing, [height, width], onDone) {
  const points = THREE.map(([x, y]) => ({ x: x * width, y: y * height }));
  const path = points.flatMap((point, index) => {
    const next = points[index + 1] ?? point;
    return Array.from({ length: POINTS_PER_LINE }, (_, part) => ({
      x: point.x + ((next.x - point.x) * part) / POINTS_PER_LINE,
      y: point.y + ((next.y - point.y) * part) / POINTS_PER_LINE,
    }));
  });
  let index = 0;
  drawing.clear();
  const timer = setInterval(() => {
    index += 1;
    drawing.stroke(path[index - 1], path[index]);
    if (index < path.length - 1) return;
    clearInterval(timer);
    onDone();
  }, STEP_MS);
  return { stop: () => clearInterval(timer) };
}
