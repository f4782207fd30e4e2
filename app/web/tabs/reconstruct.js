/* Draw a digit, and see while drawing what each framework makes of it, how well it fits, and where the three differ. */

import { button, element } from "../elements.js";
import { loadDigits } from "../digits.js";
import { makeDifferenceView } from "../difference_view.js";
import { drawImages, imageCanvas } from "../grids.js";
import { TITLES } from "../frameworks.js";
import { makeInputCard } from "../input_card.js";
import { stack } from "../npy.js";
import { measureGesture } from "../pace.js";
import { makePanels } from "../panels.js";
import { formatMs, formatNats, makeActions } from "../parts.js";
import { PIXELS, readPixels, writePixels } from "../pixels.js";
import { makeSeedField } from "../seed_field.js";

export const name = "reconstruct";
export const title = "Reconstruct";

const FIGURES = [
  ["elbo", "ELBO, nats", "main"],
  ["log_likelihood", "log-likelihood"],
  ["kl_divergence", "KL divergence"],
  ["model", "model, ms"],
  ["all", "total, ms"],
];

export function mount(panel, app) {
  let version = 0;
  const results = new Map();
  const views = new Map();
  const input = makeInputCard(({ live, at, digit }) => {
    input.strip.mark(digit);
    app.state.set({ digit, pixels: digit === null ? writePixels(input.drawing.image) : null });
    askAll({ live, at });
  });
  const seed = makeSeedField((value) => {
    app.state.set({ seed: value });
    askAll({ live: true });
  });
  const difference = makeDifferenceView();
  const row = element("div", { class: "frameworks-row" });
  const panels = makePanels(row, app.frameworks, {
    fill: (framework, body) => views.set(framework, makeView(framework, body)),
    onReady: (framework) => ask(framework, {}),
  });
  row.append(difference.node);
  panel.append(
    input.node,
    element("section", { class: "card answers", "aria-label": "Answers" },
      element("div", { class: "row head" }, element("h2", {}, "Three frameworks, the same image and noise"), seed.node),
      row,
    ),
    element("section", { class: "card", "aria-label": "Test set" },
      element("div", { class: "row head" },
        element("h2", {}, "Digits that no model was trained on"),
        button("Explore this one's latent space", explore)),
      input.strip.node),
  );

  function explore() {
    const here = ["digit", "pixels"].map((key) => [key, app.state.get(key)]).filter(([, value]) => value !== null);
    app.state.open("latent", Object.fromEntries(here));
  }

  function requestOf(framework) {
    const body = stack([input.drawing.image], Uint8Array);
    return { path: "/reconstruct", query: { framework, seed: seed.value }, body, field: "images" };
  }

  function makeView(framework, body) {
    const canvas = imageCanvas(`Reconstruction by ${TITLES[framework]}`);
    const values = new Map();
    const figures = element("dl", { class: "figures" });
    for (const [key, words, kind] of FIGURES) {
      const value = element("dd", { class: kind ?? "" }, "–");
      values.set(key, value);
      figures.append(element("dt", { class: kind ?? "" }, words), value);
    }
    const result = () => results.has(framework) && {
      array: { shape: [1, 28, 28], data: results.get(framework).probs },
      name: `reconstruction-${framework}`,
      request: results.get(framework).request,
    };
    body.append(canvas, figures, makeActions(result, `reconstruction by ${TITLES[framework]}`));
    return { canvas, values };
  }

  function askAll(how) {
    version += 1;
    if (input.drawing.isEmpty) {
      for (const framework of views.keys()) forget(framework);
      difference.clear();
      return;
    }
    for (const framework of app.frameworks.ready) ask(framework, how);
  }

  async function ask(framework, { live = false, at = null }) {
    if (input.drawing.isEmpty) return;
    const { notice } = panels.of(framework);
    const asked = version;
    const request = requestOf(framework);
    try {
      const { json, timings } = await app.ask({ ...request, framework, as: "json", live });
      if (input.drawing.isEmpty) return;
      notice.clear();
      results.set(framework, { probs: Float32Array.from(json.probs[0].flat()), version: asked, request });
      show(framework, json, timings);
      if (at !== null) measureGesture(at);
    } catch (error) {
      notice.explain(error);
    }
  }

  function show(framework, json, timings) {
    const { canvas, values } = views.get(framework);
    drawImages(canvas, results.get(framework).probs);
    for (const key of ["elbo", "log_likelihood", "kl_divergence"]) {
      values.get(key).textContent = formatNats(json[key][0]);
    }
    for (const key of ["model", "all"]) values.get(key).textContent = formatMs(timings[key]);
    // While the hand moves, one framework may be a move ahead of another.
    const { ready } = app.frameworks;
    const same = [...results].filter(([one, result]) => result.version === version && ready.includes(one));
    if (same.length === ready.length || same.length > 2) {
      const request = requestOf(null);
      difference.show(new Map(same.map(([one, result]) => [one, result.probs])), { ...request, path: "/compare" });
    }
  }

  function forget(framework) {
    results.delete(framework);
    const { canvas, values } = views.get(framework);
    drawImages(canvas, new Uint8Array(PIXELS));
    for (const value of values.values()) value.textContent = "–";
  }

  return {
    async show() {
      input.show();
      seed.set(app.state.get("seed"));
      const pixels = app.state.get("pixels");
      const image = pixels && readPixels(pixels);
      const digit = image ? null : Number(app.state.get("digit") ?? 0);
      const digits = await loadDigits();
      input.drawing.set(image ?? digits.image(digit in digits.labels ? digit : 0));
      input.strip.mark(digit);
      input.show();
      askAll({});
    },
    hide: () => input.hide(),
  };
}
