/* Benchmarks of the frameworks: from the report, and measured from this browser. */

import { ServiceProblem } from "../api/client.js";
import { imageSize } from "../drawing/pixels.js";
import { dot, element } from "../parts/elements.js";
import { makeFigure } from "../charts/figure.js";
import { introduce, titleOf } from "../api/frameworks.js";
import { about } from "../parts/glossary.js";
import { makeLiveMeasurement } from "../charts/live_measurement.js";
import { stack } from "../api/npy.js";
import { makeNotice } from "../parts/notice.js";

export const name = "compare";
export const title = "Compare";

const ABOUT =
  "Speed, quality and code size of the frameworks on the same model and data. The charts come from the repository's " +
  "benchmark report, measured on one machine; −ELBO is the ELBO of the first tab with its sign changed, so that lower is " +
  "better everywhere. Quality is that of the short recipe quick, after the epochs that its chart names; the bundled models were " +
  "trained by the recipe full, for 500 epochs, and are 5 nats better. Below them you can time this server from your own browser.";

export function mount(panel, app) {
  let isLoaded = false;
  const notice = makeNotice();
  const missing = element("p", { class: "notice", hidden: true });
  const charts = element("div", { class: "charts" });
  const origins = element("p", { class: "hint" });
  const live = makeLiveMeasurement(app, async (count) => {
    const digits = await app.examples.loadAll();
    const image = (at) => digits.image(at % Math.max(1, digits.count)) ?? new Uint8Array(imageSize.pixels).fill(at % 256);
    return stack(Array.from({ length: count }, (_, at) => image(at)), Uint8Array);
  });
  const legend = element("ul", { class: "frameworks" });
  panel.append(
    element("section", { class: "card", "aria-label": "The report" },
      element("div", { class: "row head" }, element("h2", {}, "Benchmarks (lower is better)"), legend, about(name, ABOUT)),
      notice.node, missing, charts, origins),
    live.node);

  async function load() {
    const response = await fetch("web/data/comparison.json");
    if (!response.ok) throw new ServiceProblem("The benchmark results are missing from this server.", response.status);
    const report = await response.json();
    introduce(report.frameworks);
    const measured = new Set(report.charts.flatMap(({ series }) => series.map(({ framework }) => framework)));
    legend.replaceChildren(...[...measured].map((framework) =>
      element("li", { class: `chip ${framework}`, "data-state": "ready" }, dot(framework), titleOf(framework))));
    charts.replaceChildren(...report.charts.map((chart) => makeFigure(chart, sourceOf(chart))));
    missing.hidden = report.missing.length === 0;
    missing.textContent = `Not measured yet: ${report.missing.join(" and ")}.`;
    const commits = new Map();
    for (const { machine, commit, day } of report.charts.flatMap((chart) => chart.measured)) {
      commits.set(machine, (commits.get(machine) ?? new Set()).add(`${commit || "unknown"}, ${day}`));
    }
    const origin = [...commits].map(([machine, found]) => `${machine} (commit ${[...found].join("; ")})`);
    origins.replaceChildren(
      report.smoke ? "A trial run with tiny sizes, not real results. " : "",
      `Measured on ${origin.join(" and on ")}. Medians; docs/comparison has the spread. `,
      "Axes that step by factors of ten are logarithmic.");
    isLoaded = true;
  }

  return {
    async show() {
      live.show();
      try {
        if (!isLoaded) await load();
      } catch (error) {
        notice.explain(error);
      }
    },
    hide: () => live.stop(),
  };
}

function sourceOf({ measured }) {
  const found = new Set(measured.map(({ machine, day }) => `${machine}, ${day}`));
  return `Measured on ${[...found].join(" and on ")}.`;
}
