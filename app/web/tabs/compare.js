/* How the three compare: as measured on one machine for the report, and as this visitor's own browser sees it. */

import { ServiceProblem } from "../client.js";
import { loadDigits } from "../digits.js";
import { dot, element } from "../elements.js";
import { makeFigure } from "../figures.js";
import { TITLES } from "../frameworks.js";
import { makeLiveMeasurement } from "../live_measurement.js";
import { stack } from "../npy.js";
import { makeNotice } from "../parts.js";

export const name = "compare";
export const title = "Compare";

export function mount(panel, app) {
  let isLoaded = false;
  const notice = makeNotice();
  const missing = element("p", { class: "notice", hidden: true });
  const charts = element("div", { class: "charts" });
  const origins = element("p", { class: "hint" });
  const live = makeLiveMeasurement(app, async (count) => {
    const digits = await loadDigits();
    return stack(Array.from({ length: count }, (_, at) => digits.image(at % digits.count)), Uint8Array);
  });
  const legend = element("ul", { class: "frameworks" },
    ...Object.entries(TITLES).map(([framework, words]) =>
      element("li", { class: `chip ${framework}`, "data-state": "ready" },
        dot(), words)));
  panel.append(
    element("section", { class: "card", "aria-label": "The report" },
      element("div", { class: "row head" }, element("h2", {}, "From the report: lower is better"), legend),
      notice.node, missing, charts, origins),
    live.node);

  async function load() {
    const response = await fetch("/web/data/comparison.json");
    if (!response.ok) throw new ServiceProblem("The report's figures are missing from this server.", response.status);
    const report = await response.json();
    charts.replaceChildren(...report.charts.map((chart) => makeFigure(chart, sourceOf(chart))));
    missing.hidden = report.missing.length === 0;
    missing.textContent = `Not measured yet: ${report.missing.join(" and ")}.`;
    const commits = new Map();
    for (const { machine, commit, day } of report.charts.flatMap((chart) => chart.measured)) {
      commits.set(machine, (commits.get(machine) ?? new Set()).add(`${commit || "unknown"}, ${day}`));
    }
    const measured = [...commits].map(([machine, found]) => `${machine} (commit ${[...found].join("; ")})`);
    origins.replaceChildren(
      report.smoke ? "A trial with tiny sizes, not figures. " : "",
      `Measured on ${measured.join(" and on ")}. Medians; the report, docs/comparison, has their spread. `,
      "Where a scale's steps are factors of ten, it is logarithmic.");
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
