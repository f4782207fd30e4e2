/* Measures from a gesture to the picture that it made, as the browser's own performance measures. */

export const GESTURE = "gesture-to-picture";

const KEPT = 500;

/* The picture has been drawn; it is seen with the browser's next frame. `at` is the gesture's time. */
export function measureGesture(at) {
  requestAnimationFrame(() => {
    if (performance.getEntriesByName(GESTURE).length >= KEPT) performance.clearMeasures(GESTURE);
    performance.measure(GESTURE, { start: at, end: performance.now() });
  });
}
