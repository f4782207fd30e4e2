/* A chart with its caption, the same numbers as a table for whoever would rather read them, and buttons that save it. */

import { drawPicture } from "./chart_picture.js";
import { drawChart, makeTable, rowsOf } from "./charts.js";
import { element } from "./elements.js";
import { makeActions } from "./parts.js";

/* `chart` is what `drawChart` takes, `source` a sentence that says where its figures are from. */
export function makeFigure(chart, source) {
  const { title, unit, axis, series } = chart;
  const picture = drawChart(chart);
  const scroller = { class: "scroller", tabindex: 0, role: "region", "aria-label": `${title}, as a table` };
  const rows = rowsOf(chart);
  // What there isn't is NaN.
  const values = rows.slice(1).flatMap(([, ...row]) => row.map((value) => value ?? NaN));
  const result = () => ({
    array: { shape: [axis.length, series.length], data: Float32Array.from(values) },
    rows,
    draw: () => drawPicture(picture, chart, source),
    name: title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
  });
  return element("figure", {},
    element("figcaption", {}, element("strong", {}, title), " ", element("span", { class: "version unit" }, `(${unit})`)),
    element("div", { class: "chart" }, picture,
      element("details", {}, element("summary", {}, "As a table"), element("div", scroller, makeTable(chart))),
      makeActions(result, title, ["PNG", "npy", "CSV"])));
}
