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
const MARKED = 12;
const WIDE = 10;

/* Circle, square, triangle and diamond around the origin, so that colors aren't needed to tell the series apart. */
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
    ...axis.map((label, at) => [label, ...series.map(({ values }) => values[at])]),
  ];
}

export function formatFigure(value) {
  if (value === null) return "–";
  return Math.abs(value) >= 999.5 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function makeTable(chart) {
  const [names, ...rows] = rowsOf(chart);
  const head = names.map((words) => element("th", { scope: "col" }, words));
  const body = rows.map(([label, ...values]) => element("tr", {}, element("th", { scope: "row" }, String(label)),
    ...values.map((value) => element("td", {}, formatFigure(value)))));
  return element("table", {}, element("caption", { class: "offscreen" }, chart.title),
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}

function drawBars({ axis, series }, said) {
  const step = series.length * BAR + GAP;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${axis.length * step}`, role: "img", "aria-label": said });
  const most = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), Number.MIN_VALUE);
  const labels = axis.map((label) => breakLabel(String(label)));
  const left = Math.max(...labels.flat().map((line) => line.length)) * CHARACTER + 8;
  labels.forEach((lines, at) => {
    picture.append(...stack(lines, left - 8, at * step + (step - GAP) / 2));
    series.forEach(({ framework, values }, place) => {
      const y = at * step + place * BAR;
      const length = ((values[at] ?? 0) / most) * (WIDTH - left - VALUE);
      picture.append(
        svg("rect", { class: framework, x: left, y, width: Math.max(1, length), height: BAR - 2, rx: 1.5 }),
        text(formatFigure(values[at]), { x: left + length + 5, y: y + BAR / 2 }));
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
  return lines.map((line, at, { length }) => text(line, { x, y: y + (at - (length - 1) / 2) * 13, class: "end" }));
}

function drawLines({ axis, series }, said) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said });
  const all = series.flatMap(({ values }) => values).filter((value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  // Logarithmic for values that span more than a factor of ten.
  const isWide = low > 0 && high / low > WIDE;
  const isWideAxis = axis.at(-1) / axis[0] > WIDE && axis.length <= MARKED;
  const x = scale(axis[0], axis.at(-1), MARGIN.left + 8, WIDTH - MARGIN.right - 8, isWideAxis);
  const y = scale(low, high, HEIGHT - MARGIN.bottom - 8, MARGIN.top + 8, isWide);
  for (const tick of ticks(low, high, isWide)) {
    picture.append(svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(tick), y2: y(tick) }),
      text(tick.toLocaleString("en", { maximumSignificantDigits: 3 }), { x: MARGIN.left - 6, y: y(tick), class: "end" }));
  }
  const marked = axis.length <= MARKED ? axis : ticks(axis[0], axis.at(-1), false).filter(Number.isInteger);
  for (const tick of apart(marked, x)) picture.append(text(String(tick), { x: x(tick), y: HEIGHT - MARGIN.bottom + 12, class: "middle" }));
  for (const [place, { framework, values }] of series.entries()) {
    // Curves without markers may coincide: earlier ones are wider, and stay visible on both sides.
    const width = axis.length <= MARKED ? 2 : 6 - 2 * place;
    const points = axis.flatMap((label, at) => (values[at] === null ? [] : [[x(label), y(values[at])]]));
    picture.append(svg("polyline", { class: framework, "stroke-width": width, points: points.map((point) => point.join(",")).join(" ") }));
    if (axis.length > MARKED) continue;
    for (const point of points) picture.append(svg("path", { class: framework, d: markOf(framework), transform: `translate(${point})` }));
  }
  return picture;
}

function scale(low, high, start, end, isWide) {
  const along = isWide ? Math.log : (value) => value;
  const length = along(high) - along(low) || 1;
  return (value) => start + ((along(value) - along(low)) / length) * (end - start);
}

/* Those whose labels don't touch, from the right. */
function apart(marked, x) {
  let start = Infinity;
  return marked.toReversed().filter((tick) => {
    const half = (String(tick).length * CHARACTER) / 2;
    const fits = x(tick) + half < start - 5;
    if (fits) start = x(tick) - half;
    return fits;
  });
}

function ticks(low, high, isWide) {
  if (isWide) {
    const from = Math.ceil(Math.log10(low));
    return Array.from({ length: Math.max(0, Math.floor(Math.log10(high)) - from + 1) }, (_, at) => 10 ** (from + at));
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / 2 || 1));
  const step = [5, 2, 1].map((one) => one * power).find((one) => (high - low) / one >= 2) ?? power;
  const from = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - from + 1 }, (_, at) => Number(((from + at) * step).toPrecision(12)));
}

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function text(words, attributes) {
  const node = svg("text", attributes);
  node.textContent = words;
  return node;
}
