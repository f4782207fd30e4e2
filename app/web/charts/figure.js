/* A chart with its caption, its numbers as a table, and buttons that save it. */

import { drawPicture } from "./chart_picture.js";
import { drawChart, makeScroller, makeTable, rowsOf } from "./charts.js";
import { element } from "../parts/elements.js";
import { makeActions } from "../parts/actions.js";

/* `chart` as `drawChart` takes it; `source` is a sentence on the origin of its numbers. */
export function makeFigure(chart, source) {
  const { title, unit, axis, series } = chart;
  const picture = drawChart(chart);
  const rows = rowsOf(chart);
  // NaN for missing values.
  const values = rows.slice(1).flatMap(([, ...row]) => row.map((value) => value ?? NaN));
  const getResult = () => ({
    array: { shape: [axis.length, series.length], data: Float32Array.from(values) },
    rows,
    draw: () => drawPicture(picture, chart, source),
    name: title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
  });
  return element("figure", {},
    element("figcaption", {}, element("strong", {}, title), " ", element("span", { class: "version unit" }, `(${unit})`)),
    element("div", { class: "chart" }, picture,
      element("details", {}, element("summary", {}, "As a table"), makeScroller(`${title}, as a table`, makeTable(chart))),
      makeActions(getResult, title, ["PNG", "npy", "CSV"])));
}
