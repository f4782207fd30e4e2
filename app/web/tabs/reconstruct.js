/* Draw a digit, and see what each framework makes of it. */

export const name = "reconstruct";
export const title = "Reconstruct";

export function mount(panel, app) {
  return { show() {}, hide() {} };
}
