/* The tabs, in their order. */

import * as latent from "./latent.js";
import * as reconstruct from "./reconstruct.js";

export const tabs = [reconstruct, latent];
