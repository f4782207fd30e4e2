/* Explains the page's terms: a button that opens the explanation, which is also the button's description. */

import { button, element } from "./elements.js";

const TERMS = {
  elbo:
    "ELBO, the evidence lower bound: how well the model explains your image, in nats. Higher (closer to zero) is better; " +
    "a scribble scores far lower than an image like those of the training.",
  nats: "Nats measure information, like bits, but with the natural logarithm: 1 nat is about 1.44 bits.",
  log_likelihood:
    "Log-likelihood: how probable your pixels are, given the redrawn picture. It rewards a faithful copy.",
  kl_divergence:
    "KL divergence: how much information about your image the latent numbers carry, compared with the prior. " +
    "ELBO = log-likelihood − KL.",
  prior:
    "The prior: the distribution of latents before the model has seen any image. Each latent follows a standard normal " +
    "distribution, with mean 0 and standard deviation 1.",
  sigma: "σ (sigma): standard deviation, the typical distance from the mean.",
  posterior:
    "The encoding, q(z|x): the encoder's output for one image x. It gives a mean and a spread for each latent of z, not a single point.",
  latent:
    "Latents, z: the few numbers that the model squeezes an image into. The decoder draws a picture from them alone.",
  seed:
    "The seed fixes the random numbers. The same seed gives every framework the same noise, and you the same picture again.",
  temperature: "The temperature multiplies the random latents: below 1 images are more typical, above 1 stranger.",
  snapshot:
    "Watch it learn: the same model at earlier times of its training, from random weights to the finished model. An epoch " +
    "is one pass over all training images.",
  log_variance: "Log variance: the encoder's spread of a latent, as the logarithm of σ².",
  model_time: "Model time: how long the framework computed, in milliseconds, as the server reports it.",
  round_trip: "Round trip: from this page to the server and back, in milliseconds.",
};

const popover = element("div", {
  class: "explanation card", popover: "auto", id: "explanation",
  ontoggle: ({ newState }) => newState === "open" && place(),
});
const descriptions = element("div", { hidden: true });
let opener = null;

/* A term whose explanation opens on a click, Enter or Space, and closes on Escape. */
export function term(name, label) {
  return makeOpener(`term-${name}`, TERMS[name], label, "term");
}

/* The button "What am I looking at?" of a tab, which opens `text`. */
export function about(tab, text) {
  return makeOpener(`about-${tab}`, text, "What am I looking at?", "quiet about");
}

function makeOpener(id, text, label, className) {
  // In `main`: screen readers miss content outside of landmarks.
  if (!popover.isConnected) document.getElementById("main").append(popover, descriptions);
  if (!document.getElementById(id)) descriptions.append(element("p", { id }, text));
  return button(label, ({ currentTarget }) => {
    popover.textContent = text;
    opener = currentTarget;
    // Already open for another term.
    if (popover.matches(":popover-open")) place();
  }, { class: className, popovertarget: popover.id, "aria-describedby": id });
}

/* Below the button, or above it where there is no room. */
function place() {
  const anchor = opener.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const left = Math.max(8, Math.min(anchor.left, innerWidth - width - 8));
  const below = anchor.bottom + 4;
  const top = below + height < innerHeight ? below : Math.max(8, anchor.top - height - 4);
  popover.style.setProperty("left", `${left}px`);
  popover.style.setProperty("top", `${top}px`);
}
