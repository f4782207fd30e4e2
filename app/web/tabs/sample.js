/* Draw from the prior: the same latents, decoded by each framework. */

import { choice, element, field } from "../elements.js";
import { makePicturePanels } from "../picture_panels.js";
import { makeSeedField } from "../seed_field.js";

export const name = "sample";
export const title = "Sample";

const COUNTS = [16, 36, 64];
const HOTTEST = 2;

export function mount(panel, app) {
  // Of each framework's last draw: another temperature needs no other.
  const latents = new Map();
  const seed = makeSeedField((value) => {
    app.state.set({ seed: value });
    askAll();
  });
  const count = choice("sample-count", COUNTS, (n) => {
    app.state.set({ n });
    askAll();
  });
  const temperature = element("input", { type: "range", id: "temperature", min: 0, max: HOTTEST, step: 0.05, value: 1 });
  const shown = element("output", { for: "temperature" }, "1.00");
  temperature.addEventListener("input", () => {
    app.state.set({ temperature: temperature.value });
    askAll({ live: true });
  });
  const pictures = makePicturePanels(app, { what: "Samples", onReady: (framework) => ask(framework, {}) });
  panel.append(
    element("section", { class: "card", "aria-label": "Samples" },
      element("div", { class: "row head" },
        element("h2", {}, "One draw from the prior, decoded three times"),
        element("div", { class: "row" },
          seed.node,
          field("Images", count),
          field("Temperature", temperature, shown))),
      pictures.node,
      pictures.difference,
      element("p", { class: "hint" },
        "The seed gives all three the same latents, to the bit. Trained apart, they have axes of their own, so each makes other digits of them. The temperature scales the latents: below 1 they are nearer to the middle of the prior, and the digits more ordinary.")));

  function askAll(how = {}) {
    shown.textContent = Number(temperature.value).toFixed(2);
    for (const framework of app.frameworks.ready) ask(framework, how);
  }

  function ask(framework, { live = false }) {
    const [n, drawn, scale] = [Number(count.value), seed.value, Number(temperature.value)];
    return pictures.ask(framework, async () => {
      const sample = { path: "/sample", query: { framework, n, seed: drawn } };
      const request = scale === 1 ? sample : { path: "/decode", query: { framework }, body: await scaled(sample, scale, live) };
      const answer = await app.ask({ ...request, framework, kind: "pictures", live });
      return { answer, request, options: { columns: Math.sqrt(n) } };
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
      count.value = COUNTS.includes(Number(app.state.get("n"))) ? app.state.get("n") : COUNTS[0];
      const heat = Number(app.state.get("temperature") ?? 1);
      temperature.value = heat >= 0 && heat <= HOTTEST ? heat : 1;
      askAll();
    },
    hide() {},
  };
}
