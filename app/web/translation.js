/* From one framework's latent space to another's, by the linear map that `docs/scripts/page_data.py` fitted. */

/* Return the latent in the other space, or null where the map is of other checkpoints than those that are served. */
export function translate(z, map, frameworks, one, other) {
  if (one === other) return z;
  const isFitted = [one, other].every((name) => map.frameworks[name]?.checkpoint === frameworks.of(name)?.checkpoint);
  if (!isFitted) return null;
  const { matrix, offset } = map.frameworks[one].to[other];
  return Float32Array.from(matrix, (row, at) => row.reduce((sum, weight, from) => sum + weight * z[from], offset[at]));
}
