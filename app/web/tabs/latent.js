/* Move through the latent space, and see what each framework decodes. */

export const name = "latent";
export const title = "Latent space";

export function mount(panel, app) {
  return { show() {}, hide() {} };
}
