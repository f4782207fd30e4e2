/* Times requests from this browser, one after the other, so that a visitor sees what their own machine and network make of it. */

import { formatFigure } from "./charts.js";
import { button, choice, dot, element, field } from "./elements.js";
import { makeFigure } from "./figures.js";
import { TITLES } from "./frameworks.js";
import { makeActions, makeNotice } from "./parts.js";

const SIZES = [1, 16, 64, 256];
const WARM = 3;
const COUNTS = [10, 30, 100];
const COLUMNS = ["median, ms", "95th percentile, ms", "of that the model, ms", "images/s"];
const HEADS = ["framework", "images a request", ...COLUMNS];

/* Title, unit and column of what is drawn. */
const CHARTS = [["Latency", "ms, median", 0], ["Throughput", "images/s", 3]];

/* Return {node, stop(), show()}; `images(count)` gives so many test digits as one array of bytes. */
export function makeLiveMeasurement(app, images) {
  let run = null;
  let first = null;
  let found = [];
  const notice = makeNotice();
  const said = element("p", { class: "hint", role: "status" }, "Nothing measured yet.");
  const count = choice("live-count", COUNTS, (n) => app.state.set({ n }));
  const measuring = button("Measure", () => (run ? stop() : start()), { class: "primary" });
  const body = element("tbody");
  const table = element("table", {},
    element("caption", { class: "offscreen" }, "Measured from this browser"),
    element("thead", {}, element("tr", {},
      ...HEADS.map((words) => element("th", { scope: "col" }, words)))),
    body);
  const charts = element("div", { class: "charts" });
  const result = () => found.length > 0 && {
    array: { shape: [found.length, COLUMNS.length], data: Float32Array.from(found.flatMap(({ figures }) => figures)) },
    rows: [HEADS, ...found.map(({ framework, size, figures }) => [TITLES[framework], size, ...figures])],
    name: "latency",
    request: first,
  };
  const node = element("section", { class: "card live", "aria-label": "Measured now" },
    element("div", { class: "row head" },
      element("h2", {}, "Measured now, from your browser"),
      element("div", { class: "row" },
        field("Requests each", count), measuring)),
    element("p", { class: "hint" },
      `Reconstructs test digits, npy both ways, one request after the other, after ${WARM} that aren't counted. The `,
      "times are those that this page sees: network, browser, and the server with all it does; the model's own part is ",
      "what the server says of it (Server-Timing). One request at a time isn't the most that a server can do."),
    notice.node, said,
    element("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": "Measured from this browser" }, table),
    makeActions(result, "figures measured from this browser", ["npy", "CSV", "curl", "Python"]),
    charts);

  async function start() {
    if (app.frameworks.ready.length === 0) {
      notice.say("No framework answers yet: try again in a moment.");
      return;
    }
    const own = { requests: Number(count.value) };
    run = own;
    measuring.textContent = "Stop";
    notice.clear();
    found = [];
    body.replaceChildren();
    charts.replaceChildren();
    try {
      for (const size of SIZES) {
        for (const framework of app.frameworks.ready) {
          said.textContent = `Measuring ${TITLES[framework]} with ${size} image${size > 1 ? "s" : ""} a request.`;
          const figures = await measure(framework, size, own);
          if (run !== own) return;
          found.push({ framework, size, figures });
          body.append(element("tr", { class: framework },
            element("th", { scope: "row" }, dot(), ` ${TITLES[framework]}`),
            ...[size, ...figures].map((value) => element("td", {}, formatFigure(value)))));
        }
      }
      said.textContent = `Done: ${own.requests} requests each, in this browser with ${navigator.hardwareConcurrency} cores.`;
    } catch (error) {
      if (run !== own) return;
      notice.explain(error);
      said.textContent = "";
    }
    if (run === own) finish();
  }

  async function measure(framework, size, own) {
    const all = [];
    const model = [];
    const request = { path: "/reconstruct", query: { framework, seed: 7 }, body: await images(size), field: "images" };
    for (let number = -WARM; number < own.requests; number += 1) {
      const { timings } = await app.ask({ ...request, framework, kind: "measure" });
      if (run !== own) break;
      if (number < 0) continue;
      all.push(timings.all);
      model.push(timings.model);
    }
    // Of a single image, which can be pasted.
    first ??= request;
    const seconds = all.reduce((sum, value) => sum + value, 0) / 1e3;
    return [quantile(all, 0.5), quantile(all, 0.95), quantile(model, 0.5), (size * all.length) / seconds];
  }

  function stop() {
    if (!run) return;
    said.textContent = "Stopped.";
    finish();
  }

  function finish() {
    const day = new Date().toISOString().slice(0, 10);
    const source = `${run.requests} requests each, in a browser with ${navigator.hardwareConcurrency} cores, ${day}.`;
    run = null;
    measuring.textContent = "Measure";
    if (found.length > 0) charts.replaceChildren(...CHARTS.map((chart) => makeFigure(chartOf(found, ...chart), source)));
  }

  return {
    node,
    stop,
    show() {
      count.value = COUNTS.includes(Number(app.state.get("n"))) ? app.state.get("n") : COUNTS[1];
    },
  };
}

/* The value that a share of the values isn't above. */
function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/* Of a measurement that was stopped some places are empty. */
function chartOf(found, title, unit, column) {
  const axis = [...new Set(found.map(({ size }) => size))];
  const names = Object.keys(TITLES).filter((name) => found.some(({ framework }) => framework === name));
  const valueOf = (name, place) => found.find(({ framework, size }) => framework === name && size === place)?.figures[column];
  const series = names.map((framework) => ({ framework, values: axis.map((size) => valueOf(framework, size) ?? null) }));
  return { kind: "lines", title: `${title}, by images a request`, unit, axis, series };
}
