/* Benchmarks of the frameworks: from the report, and measured from this browser. */

import { ServiceProblem } from "../api/client.js";
import { imageSize } from "../drawing/pixels.js";
import { dot, element, headRow, section } from "../parts/elements.js";
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
  const measurement = makeLiveMeasurement(app, async (count) => {
    const digits = await app.examples.loadAll();
    const images = Array.from({ length: count }, (_, index) =>
      digits.image(index % Math.max(1, digits.count)) ?? new Uint8Array(imageSize.pixels).fill(index % 256));
    return stack(images, Uint8Array);
  });
  const legend = element("ul", { class: "frameworks" });
  panel.append(
    section("card", "The report",
      headRow(element("h2", {}, "Benchmarks (lower is better)"), legend, about(name, ABOUT)),
      notice.node, missing, charts, origins),
    measurement.node);

  async function load() {
    const response = await fetch("web/data/comparison.json");
    if (!response.ok) throw new ServiceProblem("The benchmark results are missing from this server.", response.status);
    const report = await response.json();
    introduce(report.frameworks);
    const frameworks = new Set(report.charts.flatMap(({ series }) => series.map(({ framework }) => framework)));
    legend.replaceChildren(...[...frameworks].map((framework) =>
      element("li", { class: `chip ${framework}`, "data-state": "ready" }, dot(framework), titleOf(framework))));
    charts.replaceChildren(...report.charts.map((chart) => makeFigure(chart, sourceOf(chart))));
    missing.hidden = report.missing.length === 0;
    missing.textContent = `Not measured yet: ${report.missing.join(" and ")}.`;
    const commits = new Map();
    for (const { machine, commit, day } of report.charts.flatMap((chart) => chart.measured)) {
      commits.set(machine, (commits.get(machine) ?? new Set()).add(`${commit || "unknown"}, ${day}`));
    }
    const sources = [...commits].map(([machine, versions]) => `${machine} (commit ${[...versions].join("; ")})`);
    origins.replaceChildren(
      report.smoke ? "A trial run with tiny sizes, not real results. " : "",
      `Measured on ${sources.join(" and on ")}. Medians; docs/comparison has the spread. `,
      "Axes that step by factors of ten are logarithmic.");
    isLoaded = true;
  }

  return {
    async show() {
      measurement.show();
      try {
        if (!isLoaded) await load();
      } catch (error) {
        notice.explain(error);
      }
    },
    hide: () => measurement.stop(),
  };
}

function sourceOf({ measured }) {
  const sources = new Set(measured.map(({ machine, day }) => `${machine}, ${day}`));
  return `Measured on ${[...sources].join(" and on ")}.`;
}
