/* Times requests from this browser, one at a time, so that visitors see their own network and machine. */

import { formatFigure, makeScroller } from "./charts.js";
import { button, choice, dot, element, field, headRow, section } from "../parts/elements.js";
import { makeFigure } from "./figure.js";
import { titleOf } from "../api/frameworks.js";
import { makeActions } from "../parts/actions.js";
import { countOf } from "../parts/numbers.js";
import { makeNotice } from "../parts/notice.js";

const SIZES = [1, 16, 64, 256];
const WARM_UPS = 3;
const COUNTS = [10, 30, 100];
const COLUMNS = ["median, ms", "95th percentile, ms", "model only, ms", "images/s"];
const HEADS = ["framework", "images per request", ...COLUMNS];

/* Title, unit and column of each chart. */
const CHARTS = [["Latency", "ms, median", 0], ["Throughput", "images/s", 3]];

/* Return {node, stop(), show()}; `images(count)` returns that many images as one array of bytes. */
export function makeLiveMeasurement({ state, frameworks, ask }, images) {
  let currentRun = null;
  let firstRequest = null;
  let measurements = [];
  const notice = makeNotice();
  const status = element("p", { class: "hint", role: "status" }, "Nothing measured yet.");
  const count = choice("live-count", COUNTS, (n) => state.set({ n }));
  const measureButton = button("Measure", () => (currentRun ? stop() : start()), { class: "primary" });
  const body = element("tbody");
  const table = element("table", {},
    element("caption", { class: "offscreen" }, "Measured from this browser"),
    element("thead", {}, element("tr", {},
      ...HEADS.map((head) => element("th", { scope: "col" }, head)))),
    body);
  const charts = element("div", { class: "charts" });
  const getResult = () => measurements.length > 0 && {
    array: { shape: [measurements.length, COLUMNS.length], data: Float32Array.from(measurements.flatMap(({ figures }) => figures)) },
    rows: [HEADS, ...measurements.map(({ framework, size, figures }) => [titleOf(framework), size, ...figures])],
    name: "latency",
    request: firstRequest,
  };
  const node = section("card live", "Measured now",
    headRow(
      element("h2", {}, "Measure it from your browser"),
      element("div", { class: "row" },
        field("Requests per row", count), measureButton)),
    element("p", { class: "hint" },
      `Reconstructs images; sends and receives npy, one request at a time, after ${WARM_UPS} warm-up requests. The times are `,
      "what this page sees: network, browser and server. The model's share is reported by the server (Server-Timing). ",
      "Sequential requests don't show peak throughput."),
    notice.node, status,
    makeScroller("Measured from this browser", table),
    makeActions(getResult, "results measured from this browser", ["npy", "CSV", "curl", "Python"]),
    charts);

  async function start() {
    if (frameworks.ready.length === 0) {
      notice.say("No framework is ready yet. Try again in a moment.");
      return;
    }
    const run = { requests: Number(count.value) };
    currentRun = run;
    measureButton.textContent = "Stop";
    notice.clear();
    measurements = [];
    body.replaceChildren();
    charts.replaceChildren();
    try {
      for (const size of SIZES) {
        for (const framework of frameworks.ready) {
          status.textContent = `Measuring ${titleOf(framework)} with ${countOf(size, "image")} per request.`;
          const figures = await measure(framework, size, run);
          if (currentRun !== run) return;
          measurements.push({ framework, size, figures });
          body.append(element("tr", { class: framework },
            element("th", { scope: "row" }, dot(framework), ` ${titleOf(framework)}`),
            ...[size, ...figures].map((value) => element("td", {}, formatFigure(value)))));
        }
      }
      status.textContent = `Done: ${countOf(run.requests, "request")} per row, in this browser with ${countOf(navigator.hardwareConcurrency, "core")}.`;
    } catch (error) {
      if (currentRun !== run) return;
      notice.explain(error);
      status.textContent = "";
    }
    if (currentRun === run) finish();
  }

  async function measure(framework, size, run) {
    const roundTrips = [];
    const modelTimes = [];
    const request = { path: "/reconstruct", query: { ...frameworks.queryOf(framework), seed: 7 }, body: await images(size), field: "images" };
    for (let number = -WARM_UPS; number < run.requests; number += 1) {
      const { timings } = await ask({ ...request, kind: "measure" });
      if (currentRun !== run) break;
      if (number < 0) continue;
      roundTrips.push(timings.roundTrip);
      modelTimes.push(timings.model);
    }
    // A single image, short enough to paste.
    firstRequest ??= request;
    const seconds = roundTrips.reduce((sum, value) => sum + value, 0) / 1e3;
    return [quantile(roundTrips, 0.5), quantile(roundTrips, 0.95), quantile(modelTimes, 0.5), (size * roundTrips.length) / seconds];
  }

  function stop() {
    if (!currentRun) return;
    status.textContent = "Stopped.";
    finish();
  }

  function finish() {
    const day = new Date().toISOString().slice(0, 10);
    const source = `${countOf(currentRun.requests, "request")} per row, in a browser with ${countOf(navigator.hardwareConcurrency, "core")}, ${day}.`;
    currentRun = null;
    measureButton.textContent = "Measure";
    if (measurements.length > 0) charts.replaceChildren(...CHARTS.map((chart) => makeFigure(chartOf(measurements, ...chart), source)));
  }

  return {
    node,
    stop,
    show() {
      count.value = COUNTS.includes(Number(state.get("n"))) ? state.get("n") : COUNTS[1];
    },
  };
}

/* The smallest value that at least this share of the values doesn't exceed. */
function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/* A run that was stopped leaves gaps. */
function chartOf(measurements, title, unit, column) {
  const axis = [...new Set(measurements.map(({ size }) => size))];
  const names = [...new Set(measurements.map(({ framework }) => framework))];
  const valueOf = (name, imageCount) =>
    measurements.find(({ framework, size }) => framework === name && size === imageCount)?.figures[column] ?? null;
  const series = names.map((framework) => ({ framework, values: axis.map((size) => valueOf(framework, size)) }));
  return { kind: "lines", title: `${title}, by images per request`, unit, axis, series };
}
