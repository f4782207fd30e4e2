/* The tabs, in their order. */

import * as code from "./code.js";
import * as compare from "./compare.js";
import * as interpolate from "./interpolate.js";
import * as latent from "./latent.js";
import * as reconstruct from "./reconstruct.js";
import * as sample from "./sample.js";

export const tabs = [reconstruct, latent, sample, interpolate, compare, code];
