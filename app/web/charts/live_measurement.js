/* Times requests from this browser, one at a time, so that visitors see their own network and machine. */

import { formatFigure } from "./charts.js";
import { button, choice, dot, element, field } from "../parts/elements.js";
import { makeFigure } from "./figure.js";
import { titleOf } from "../api/frameworks.js";
import { makeActions } from "../parts/actions.js";
import { countOf } from "../parts/numbers.js";
import { makeNotice } from "../parts/notice.js";

const SIZES = [1, 16, 64, 256];
const WARM = 3;
const COUNTS = [10, 30, 100];
const COLUMNS = ["median, ms", "95th percentile, ms", "model only, ms", "images/s"];
const HEADS = ["framework", "images per request", ...COLUMNS];

/* Title, unit and column of each chart. */
const CHARTS = [["Latency", "ms, median", 0], ["Throughput", "images/s", 3]];

/* Return {node, stop(), show()}; `images(count)` returns that many images as one array of bytes. */
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
    rows: [HEADS, ...found.map(({ framework, size, figures }) => [titleOf(framework), size, ...figures])],
    name: "latency",
    request: first,
  };
  const node = element("section", { class: "card live", "aria-label": "Measured now" },
    element("div", { class: "row head" },
      element("h2", {}, "Measure it from your browser"),
      element("div", { class: "row" },
        field("Requests per row", count), measuring)),
    element("p", { class: "hint" },
      `Reconstructs images; sends and receives npy, one request at a time, after ${WARM} warm-up requests. The times are `,
      "what this page sees: network, browser and server. The model's share is reported by the server (Server-Timing). ",
      "Sequential requests don't show peak throughput."),
    notice.node, said,
    element("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": "Measured from this browser" }, table),
    makeActions(result, "results measured from this browser", ["npy", "CSV", "curl", "Python"]),
    charts);

  async function start() {
    if (app.frameworks.ready.length === 0) {
      notice.say("No framework is ready yet. Try again in a moment.");
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
          said.textContent = `Measuring ${titleOf(framework)} with ${countOf(size, "image")} per request.`;
          const figures = await measure(framework, size, own);
          if (run !== own) return;
          found.push({ framework, size, figures });
          body.append(element("tr", { class: framework },
            element("th", { scope: "row" }, dot(framework), ` ${titleOf(framework)}`),
            ...[size, ...figures].map((value) => element("td", {}, formatFigure(value)))));
        }
      }
      said.textContent = `Done: ${countOf(own.requests, "request")} per row, in this browser with ${countOf(navigator.hardwareConcurrency, "core")}.`;
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
    // A single image, short enough to paste.
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
    const source = `${countOf(run.requests, "request")} per row, in a browser with ${countOf(navigator.hardwareConcurrency, "core")}, ${day}.`;
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

/* The smallest value that at least this share of the values doesn't exceed. */
function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/* A measurement that was stopped leaves gaps. */
function chartOf(found, title, unit, column) {
  const axis = [...new Set(found.map(({ size }) => size))];
  const names = [...new Set(found.map(({ framework }) => framework))];
  const valueOf = (name, place) => found.find(({ framework, size }) => framework === name && size === place)?.figures[column];
  const series = names.map((framework) => ({ framework, values: axis.map((size) => valueOf(framework, size) ?? null) }));
  return { kind: "lines", title: `${title}, by images per request`, unit, axis, series };
}
