/* From one framework's latent space to another's, by a fitted linear map. */

/* The part of the latent map that belongs to a framework, or null if it was computed for another checkpoint. */
export function mapOf(map, frameworks, name) {
  const frameworkMap = map.frameworks[name];
  return frameworkMap && frameworkMap.checkpoint === frameworks.entryOf(name)?.checkpoint ? frameworkMap : null;
}

/* The linear map from one space to another, or null if none was fitted for both checkpoints that are served. */
export function fitOf(map, frameworks, source, target) {
  const fit = mapOf(map, frameworks, source)?.to[target];
  const checkpoint = mapOf(map, frameworks, target)?.checkpoint;
  // A companion file may be older than the target's checkpoint; the bundled map names each checkpoint once.
  return fit && checkpoint && checkpoint === (fit.checkpoint ?? checkpoint) ? fit : null;
}

/* Return the latents in the target space, or null if no map was fitted for both checkpoints. */
export function translate(z, map, frameworks, source, target) {
  if (source === target) return z;
  const fit = fitOf(map, frameworks, source, target);
  if (!fit) return null;
  const { matrix, offset } = fit;
  return Float32Array.from(matrix, (row, index) => row.reduce((sum, weight, column) => sum + weight * z[column], offset[index]));
}

/* The two coordinates of latents on a framework's map. */
export function project(z, { axes, center }) {
  return axes.map((axis) => axis.reduce((sum, weight, index) => sum + weight * (z[index] - center[index]), 0));
}

/* The standard deviations along the axes of the target's map, for log variances in the source space. */
export function spreadOf(logvar, map, source, target) {
  const matrix = source === target ? null : map.frameworks[source].to[target].matrix;
  return map.frameworks[target].axes.map((axis) => {
    const weights = matrix
      ? logvar.map((_, column) => axis.reduce((sum, weight, row) => sum + weight * matrix[row][column], 0))
      : axis;
    return Math.sqrt(weights.reduce((sum, weight, index) => sum + weight * weight * Math.exp(logvar[index]), 0));
  });
}
