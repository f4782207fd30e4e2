/* From one framework's latent space to another's, by a fitted linear map. */

/* The part of the latent map that belongs to a framework, or null if it was computed for another checkpoint. */
export function mapOf(map, frameworks, name) {
  const own = map.frameworks[name];
  return own && own.checkpoint === frameworks.of(name)?.checkpoint ? own : null;
}

/* The linear map from one space to another, or null if none was fitted for both checkpoints that are served. */
export function fitOf(map, frameworks, one, other) {
  const fit = mapOf(map, frameworks, one)?.to[other];
  const target = mapOf(map, frameworks, other)?.checkpoint;
  // A companion file may be older than the other checkpoint; the bundled map names each checkpoint once.
  return fit && target && target === (fit.checkpoint ?? target) ? fit : null;
}

/* Return the latent in the other space, or null if no map was fitted for both checkpoints. */
export function translate(z, map, frameworks, one, other) {
  if (one === other) return z;
  const fit = fitOf(map, frameworks, one, other);
  if (!fit) return null;
  const { matrix, offset } = fit;
  return Float32Array.from(matrix, (row, at) => row.reduce((sum, weight, from) => sum + weight * z[from], offset[at]));
}

/* The two coordinates of a latent on a map. */
export function project(z, { axes, center }) {
  return axes.map((axis) => axis.reduce((sum, share, at) => sum + share * (z[at] - center[at]), 0));
}

/* The standard deviations along the axes of a map `own`, of latents with these log variances in the space `from`. */
export function spreadOf(logvar, map, own, from, space) {
  const matrix = from === space ? null : map.frameworks[from].to[space].matrix;
  return own.axes.map((axis) => {
    const along = matrix
      ? logvar.map((_, at) => axis.reduce((sum, share, row) => sum + share * matrix[row][at], 0))
      : axis;
    return Math.sqrt(along.reduce((sum, share, at) => sum + share * share * Math.exp(logvar[at]), 0));
  });
}
