/* Draw random digits: the same latents from the prior, decoded by each framework. */

import { spellCount } from "../api/frameworks.js";
import { countedText } from "../parts/counted.js";
import { choice, element, field, headRow, section } from "../parts/elements.js";
import { about, term } from "../parts/glossary.js";
import { makePicturePanels } from "../results/picture_panels.js";
import { makeSeedField } from "../parts/seed_field.js";
import { makeWeightsSwitch } from "../parts/weights_switch.js";

export const name = "sample";
export const title = "Sample";
export const needsModel = true;

const COUNTS = [16, 36, 64];
const MAX_TEMPERATURE = 2;
const aboutOf = (noun) =>
  `These ${noun}s were never drawn by anyone. The service draws random numbers from the prior, and the decoder turns ` +
  `them into images. This works because training made the latents of real ${noun}s look like such random numbers.`;

export function mount(panel, app) {
  const { state, frameworks, ask } = app;
  // Each framework's last latents, which a new temperature reuses.
  const latents = new Map();
  const { noun } = app.examples;
  const seed = makeSeedField((value) => {
    state.set({ seed: value });
    sampleAll();
  });
  const weights = makeWeightsSwitch(app, () => sampleAll());
  const count = choice("sample-count", COUNTS, (n) => {
    state.set({ n });
    sampleAll();
  });
  const temperature = element("input", {
    type: "range", id: "temperature", "aria-label": "Temperature", min: 0, max: MAX_TEMPERATURE, step: 0.05, value: 1,
    oninput() {
      state.set({ temperature: temperature.value });
      sampleAll({ live: true });
    },
  });
  const output = element("output", { for: "temperature" }, "1.00");
  const pictures = makePicturePanels(app, { title: "Samples", onReady: (framework) => sample(framework, {}) });
  panel.append(
    section("card", "Samples",
      headRow(
        countedText(frameworks, "h2", (frameworkCount) =>
          (frameworkCount > 1 ? `New ${noun}s from the same random numbers` : `New ${noun}s from random numbers`)),
        element("div", { class: "row" },
          weights.node,
          seed.node,
          field("Images", count),
          element("span", { class: "field" }, term("temperature", "Temperature"), temperature, output),
          about(name, aboutOf(noun)))),
      pictures.node,
      pictures.difference,
      element("p", { class: "hint" },
        countedText(frameworks, "span", (frameworkCount) =>
          (frameworkCount > 1 ? `The seed gives ${spellCount(frameworkCount)} the same latents from the ` : "The seed draws the latents from the ")),
        term("prior", "prior"),
        countedText(frameworks, "span", (frameworkCount) => (frameworkCount > 1 ? ", to the bit. " : ". ")),
        weights.hint, " ",
        `The temperature scales the latents: below 1 the ${noun}s are more typical, above 1 stranger.`)));

  function sampleAll({ live = false } = {}) {
    output.textContent = Number(temperature.value).toFixed(2);
    for (const framework of frameworks.ready) sample(framework, { live });
  }

  function sample(framework, { live = false }) {
    const [n, scale, query] = [Number(count.value), Number(temperature.value), frameworks.queryOf(framework, weights.value)];
    const sampleRequest = { path: "/sample", query: { ...query, n, seed: seed.value } };
    return pictures.show(framework, query, async () => {
      const request = scale === 1 ? sampleRequest : { path: "/decode", query, body: await scaleLatents(sampleRequest, scale, live) };
      const response = await ask({ ...request, kind: "pictures", live });
      return { response, request, options: { columns: Math.sqrt(n) } };
    });
  }

  async function scaleLatents({ path, query }, scale, live) {
    const key = JSON.stringify(query);
    if (latents.get(query.framework)?.key !== key) {
      const { array } = await ask({ path, query: { ...query, output: "latents" }, kind: "latents", live });
      latents.set(query.framework, { key, array });
    }
    const { array } = latents.get(query.framework);
    return { shape: array.shape, data: array.data.map((value) => value * scale) };
  }

  return {
    show() {
      seed.set(state.get("seed"));
      weights.read();
      count.value = COUNTS.includes(Number(state.get("n"))) ? state.get("n") : COUNTS[0];
      const linkedTemperature = Number(state.get("temperature") ?? 1);
      temperature.value = linkedTemperature >= 0 && linkedTemperature <= MAX_TEMPERATURE ? linkedTemperature : 1;
      sampleAll();
    },
    hide() {},
  };
}
