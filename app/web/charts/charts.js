/* Small charts as SVG, and their numbers as a table. */

import { element } from "../parts/elements.js";
import { markerOf, titleOf } from "../api/frameworks.js";

const SVG = "http://www.w3.org/2000/svg";
// The width of the narrowest column, so that text is never scaled down.
const WIDTH = 256;
// An upper bound of a character's width in labels.
const CHARACTER = 7;
const VALUE = 50;
const BAR = 13;
const GAP = 12;
const HEIGHT = 164;
const MARGIN = { left: 42, right: 8, top: 4, bottom: 24 };
const MAX_MARKED = 12;
const WIDE_RATIO = 10;

/* Circle, square, triangle and diamond around the origin: series differ without colors too. */
const MARKS = { o: "M-4 0a4 4 0 1 1 8 0a4 4 0 1 1-8 0", s: "M-3.5-3.5h7v7h-7z", "^": "M0-5L-5 4h10z", D: "M0-5L5 0L0 5L-5 0z" };

export function markOf(framework) {
  return MARKS[markerOf(framework)] ?? MARKS.o;
}

/* `chart` is one of `comparison.json`: {kind, title, unit, axis, series: [{framework, values}]}. */
export function drawChart(chart) {
  const draw = chart.kind === "bars" ? drawBars : drawLines;
  return draw(chart, `${chart.title}, in ${chart.unit}. The table below lists the numbers.`);
}

/* The numbers in rows, the header first. */
export function rowsOf({ unit, axis, series }) {
  return [
    [unit, ...series.map(({ framework }) => titleOf(framework))],
    ...axis.map((label, index) => [label, ...series.map(({ values }) => values[index])]),
  ];
}

export function formatFigure(value) {
  if (value === null) return "–";
  return Math.abs(value) >= 999.5 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function makeTable(chart) {
  const [names, ...rows] = rowsOf(chart);
  const head = names.map((name) => element("th", { scope: "col" }, name));
  const body = rows.map(([label, ...values]) => element("tr", {}, element("th", { scope: "row" }, label),
    ...values.map((value) => element("td", {}, formatFigure(value)))));
  return element("table", {}, element("caption", { class: "offscreen" }, chart.title),
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}

/* A table that may be wider than its column. */
export function makeScroller(label, table) {
  return element("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": label }, table);
}

function drawBars({ axis, series }, description) {
  const step = series.length * BAR + GAP;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${axis.length * step}`, role: "img", "aria-label": description });
  const largest = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), Number.MIN_VALUE);
  const labels = axis.map((label) => breakLabel(String(label)));
  const left = Math.max(...labels.flat().map((line) => line.length)) * CHARACTER + 8;
  labels.forEach((lines, index) => {
    picture.append(...stack(lines, left - 8, index * step + (step - GAP) / 2));
    series.forEach(({ framework, values }, position) => {
      const y = index * step + position * BAR;
      const length = ((values[index] ?? 0) / largest) * (WIDTH - left - VALUE);
      picture.append(
        svg("rect", { class: framework, x: left, y, width: Math.max(1, length), height: BAR - 2, rx: 1.5 }),
        text(formatFigure(values[index]), { x: left + length + 5, y: y + BAR / 2 }));
    });
  });
  return picture;
}

/* Break a long label into two lines. */
function breakLabel(label) {
  const words = label.split(" ");
  const lines = label.length > 15 ? [words.slice(0, 2).join(" "), words.slice(2).join(" ")] : [label];
  return lines.filter(Boolean);
}

function stack(lines, x, y) {
  return lines.map((line, index, { length }) => text(line, { x, y: y + (index - (length - 1) / 2) * 13, class: "end" }));
}

function drawLines({ axis, series }, description) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": description });
  const allValues = series.flatMap(({ values }) => values).filter((value) => value !== null);
  const [low, high] = [Math.min(...allValues), Math.max(...allValues)];
  // Logarithmic for values that span more than a factor of ten.
  const isWide = low > 0 && high / low > WIDE_RATIO;
  const isWideAxis = axis.at(-1) / axis[0] > WIDE_RATIO && axis.length <= MAX_MARKED;
  const x = scale(axis[0], axis.at(-1), MARGIN.left + 8, WIDTH - MARGIN.right - 8, isWideAxis);
  const y = scale(low, high, HEIGHT - MARGIN.bottom - 8, MARGIN.top + 8, isWide);
  for (const tick of ticks(low, high, isWide)) {
    picture.append(svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(tick), y2: y(tick) }),
      text(tick.toLocaleString("en", { maximumSignificantDigits: 3 }), { x: MARGIN.left - 6, y: y(tick), class: "end" }));
  }
  const markedTicks = axis.length <= MAX_MARKED ? axis : ticks(axis[0], axis.at(-1), false).filter(Number.isInteger);
  for (const tick of dropOverlaps(markedTicks, x)) picture.append(text(tick, { x: x(tick), y: HEIGHT - MARGIN.bottom + 12, class: "middle" }));
  for (const [position, { framework, values }] of series.entries()) {
    // Curves without markers may coincide: earlier curves are wider, and stay visible on both sides.
    const width = axis.length <= MAX_MARKED ? 2 : 6 - 2 * position;
    const points = axis.flatMap((label, index) => (values[index] === null ? [] : [[x(label), y(values[index])]]));
    picture.append(svg("polyline", { class: framework, "stroke-width": width, points: points.map((point) => point.join(",")).join(" ") }));
    if (axis.length > MAX_MARKED) continue;
    for (const point of points) picture.append(svg("path", { class: framework, d: markOf(framework), transform: `translate(${point})` }));
  }
  return picture;
}

function scale(low, high, start, end, isWide) {
  const transform = isWide ? Math.log : (value) => value;
  const length = transform(high) - transform(low) || 1;
  return (value) => start + ((transform(value) - transform(low)) / length) * (end - start);
}

/* From the right, the ticks whose labels don't touch. */
function dropOverlaps(markedTicks, x) {
  let start = Infinity;
  return markedTicks.toReversed().filter((tick) => {
    const half = (String(tick).length * CHARACTER) / 2;
    const fits = x(tick) + half < start - 5;
    if (fits) start = x(tick) - half;
    return fits;
  });
}

function ticks(low, high, isWide) {
  if (isWide) {
    const start = Math.ceil(Math.log10(low));
    return Array.from({ length: Math.max(0, Math.floor(Math.log10(high)) - start + 1) }, (_, index) => 10 ** (start + index));
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / 2 || 1));
  const step = [5, 2, 1].map((factor) => factor * power).find((size) => (high - low) / size >= 2) ?? power;
  const start = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - start + 1 }, (_, index) => Number(((start + index) * step).toPrecision(12)));
}

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function text(content, attributes) {
  const node = svg("text", attributes);
  node.textContent = content;
  return node;
}
