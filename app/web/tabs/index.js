/* The tabs, in their order. */

import * as code from "./code.js";
import * as latent from "./latent.js";
import * as reconstruct from "./reconstruct.js";

export const tabs = [reconstruct, latent, code];
