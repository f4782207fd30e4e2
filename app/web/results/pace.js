/* How often pictures and figures follow a gesture, and the time from a gesture to the picture it causes. */

export const GESTURE = "gesture-to-picture";

const KEPT = 500;

/*
 * Return a function that returns true if it is time to follow a gesture again: after `ms`, and `changes` of the image.
 * The second bounds the bytes of a drawing, however slowly the pen moves.
 */
export function makePace(ms, changes) {
  let followed = -Infinity;
  let skipped = Infinity;
  return () => {
    skipped += 1;
    if (skipped < changes || performance.now() - followed < ms) return false;
    followed = performance.now();
    skipped = 0;
    return true;
  };
}

/* Call after drawing the picture; it becomes visible with the next frame. `at` is the timestamp of the gesture. */
export function measureGesture(at) {
  requestAnimationFrame(() => {
    if (performance.getEntriesByName(GESTURE).length >= KEPT) performance.clearMeasures(GESTURE);
    performance.measure(GESTURE, { start: at, end: performance.now() });
  });
}
