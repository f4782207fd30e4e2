/* Limits how often results follow a gesture, and measures the time from a gesture to its picture. */

export const GESTURE = "gesture-to-picture";

const MAX_MEASURES = 500;

/*
 * Return a function to call for each change of the image, which returns true if results are due: after `ms` milliseconds and
 * `changes` changes. The number of changes bounds the bytes of a drawing, however slowly the pen moves.
 */
export function makePace(ms, changes) {
  let lastTime = -Infinity;
  let changeCount = Infinity;
  return () => {
    changeCount += 1;
    if (changeCount < changes || performance.now() - lastTime < ms) return false;
    lastTime = performance.now();
    changeCount = 0;
    return true;
  };
}

/* Call after drawing the picture; it becomes visible with the next frame. `startTime` is the timestamp of the gesture. */
export function measureGesture(startTime) {
  requestAnimationFrame(() => {
    if (performance.getEntriesByName(GESTURE).length >= MAX_MEASURES) performance.clearMeasures(GESTURE);
    performance.measure(GESTURE, { start: startTime, end: performance.now() });
  });
}
