/* Draw random digits: the same latents from the prior, decoded by each framework. */

import { spellCount } from "../api/frameworks.js";
import { counted } from "../parts/counted.js";
import { choice, element, field } from "../parts/elements.js";
import { about, term } from "../parts/glossary.js";
import { makePicturePanels } from "../results/picture_panels.js";
import { makeSeedField } from "../parts/seed_field.js";
import { makeWeightsSwitch } from "../parts/weights_switch.js";

export const name = "sample";
export const title = "Sample";

const COUNTS = [16, 36, 64];
const HOTTEST = 2;
const aboutOf = (noun) =>
  `These ${noun}s were never drawn by anyone. The service draws random numbers from the prior, and the decoder turns ` +
  `them into images. This works because training made the latents of real ${noun}s look like such random numbers.`;

export function mount(panel, app) {
  // Each framework's last draw, which a new temperature reuses.
  const latents = new Map();
  const { noun } = app.examples;
  const seed = makeSeedField((value) => {
    app.state.set({ seed: value });
    sampleAll();
  });
  const weights = makeWeightsSwitch(app, () => sampleAll());
  const count = choice("sample-count", COUNTS, (n) => {
    app.state.set({ n });
    sampleAll();
  });
  const temperature = element("input", {
    type: "range", id: "temperature", "aria-label": "Temperature", min: 0, max: HOTTEST, step: 0.05, value: 1,
  });
  const shown = element("output", { for: "temperature" }, "1.00");
  temperature.addEventListener("input", () => {
    app.state.set({ temperature: temperature.value });
    sampleAll({ live: true });
  });
  const pictures = makePicturePanels(app, { what: "Samples", onReady: (framework) => sample(framework, {}) });
  panel.append(
    element("section", { class: "card", "aria-label": "Samples" },
      element("div", { class: "row head" },
        counted(app.frameworks, "h2", (frameworks) =>
          (frameworks > 1 ? `New ${noun}s from the same random numbers` : `New ${noun}s from random numbers`)),
        element("div", { class: "row" },
          weights.node,
          seed.node,
          field("Images", count),
          element("span", { class: "field" }, term("temperature", "Temperature"), temperature, shown),
          about(name, aboutOf(noun)))),
      pictures.node,
      pictures.difference,
      element("p", { class: "hint" },
        counted(app.frameworks, "span", (frameworks) =>
          (frameworks > 1 ? `The seed gives ${spellCount(frameworks)} the same latents from the ` : "The seed draws the latents from the ")),
        term("prior", "prior"),
        counted(app.frameworks, "span", (frameworks) => (frameworks > 1 ? ", to the bit. " : ". ")),
        weights.hint, " ",
        `The temperature scales the latents: below 1 the ${noun}s are more typical, above 1 stranger.`)));

  function sampleAll(how = {}) {
    shown.textContent = Number(temperature.value).toFixed(2);
    for (const framework of app.frameworks.ready) sample(framework, how);
  }

  function sample(framework, { live = false }) {
    const [n, drawn, scale] = [Number(count.value), seed.value, Number(temperature.value)];
    return pictures.show(framework, async () => {
      const drawing = { path: "/sample", query: { ...app.frameworks.queryOf(framework, weights.value), n, seed: drawn } };
      const request = scale === 1 ? drawing : { path: "/decode", query: app.frameworks.queryOf(framework, weights.value), body: await scaled(drawing, scale, live) };
      const response = await app.ask({ ...request, framework, kind: "pictures", live });
      return { response, request, options: { columns: Math.sqrt(n) } };
    });
  }

  async function scaled({ path, query }, scale, live) {
    const draw = JSON.stringify(query);
    if (latents.get(query.framework)?.draw !== draw) {
      const { array } = await app.ask({ path, query: { ...query, output: "latents" }, framework: query.framework, kind: "latents", live });
      latents.set(query.framework, { draw, array });
    }
    const { array } = latents.get(query.framework);
    return { shape: array.shape, data: array.data.map((value) => value * scale) };
  }

  return {
    show() {
      seed.set(app.state.get("seed"));
      weights.read();
      count.value = COUNTS.includes(Number(app.state.get("n"))) ? app.state.get("n") : COUNTS[0];
      const heat = Number(app.state.get("temperature") ?? 1);
      temperature.value = heat >= 0 && heat <= HOTTEST ? heat : 1;
      sampleAll();
    },
    hide() {},
  };
}
