/* A square in which a point is chosen by dragging or with the arrow keys. Its caller draws the content. */

import { SCALE, drawPicture } from "../charts/chart_picture.js";
import { element } from "../parts/elements.js";

const STEP = 0.02;
const BIG_STEP = 0.1;
// Distance from the edge, in CSS pixels, at which a marker is whole.
const INSET = 9;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/* The hint that explains a hollow marker. */
export const BEYOND = "Hollow: it lies beyond the edge.";

/*
 * `draw(plane)` draws on `plane.context`, in CSS pixels, at `plane.toScreen(x, y)`; `reach` is the largest coordinate.
 * `onMove({x, y}, {live, at, isFirst})` is called while the pointer drags, `onHover({x, y} or null, {live, at})` while it
 * moves without dragging, `onStep([dx, dy], {live, at})` for a key.
 */
export class Plane {
  #draw;

  constructor({ label, reach, draw, onMove, onStep, onHover = () => {} }) {
    this.reach = reach;
    this.#draw = draw;
    this.canvas = element("canvas", {
      class: "plane", role: "application", tabindex: 0, "aria-label": label,
      onpointerdown: (event) => {
        if (event.button !== 0 || !event.isPrimary) return;
        this.canvas.setPointerCapture(event.pointerId);
        onMove(this.#pointOf(event), { live: true, at: event.timeStamp, isFirst: true });
      },
      onpointermove: (event) => {
        const follow = this.canvas.hasPointerCapture(event.pointerId) ? onMove : onHover;
        follow(this.#pointOf(event), { live: true, at: event.timeStamp });
      },
      onpointerleave: ({ timeStamp }) => onHover(null, { at: timeStamp }),
      onkeydown: (event) => {
        const direction = KEYS[event.key];
        if (!direction) return;
        event.preventDefault();
        const step = this.reach * (event.shiftKey ? BIG_STEP : STEP);
        onStep(direction.map((sign) => sign * step), { live: true, at: event.timeStamp });
      },
    });
    this.node = element("div", { class: "plane-place" }, this.canvas);
    this.context = this.canvas.getContext("2d");
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  get size() {
    return this.canvas.clientWidth;
  }

  toScreen(x, y) {
    return [((x / this.reach + 1) / 2) * this.size, ((1 - y / this.reach) / 2) * this.size];
  }

  /* The value of a color variable of the page. */
  color(name) {
    return getComputedStyle(this.canvas).getPropertyValue(`--${name}`);
  }

  draw(ratio = window.devicePixelRatio) {
    if (!this.size) return;
    const pixels = Math.round(this.size * ratio);
    if (this.canvas.width !== pixels) [this.canvas.width, this.canvas.height] = [pixels, pixels];
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, this.size, this.size);
    this.#drawAxes();
    this.#draw(this);
  }

  /* A canvas for a file, in a file's resolution; `caption` is {title, unit}. */
  toPicture(caption, source) {
    this.draw(SCALE);
    const picture = drawPicture(this.canvas, caption, source);
    this.draw();
    return picture;
  }

  #drawAxes() {
    const [middle] = this.toScreen(0, 0);
    this.context.strokeStyle = this.color("line");
    this.context.lineWidth = 1;
    this.context.beginPath();
    this.context.moveTo(middle, 0);
    this.context.lineTo(middle, this.size);
    this.context.moveTo(0, middle);
    this.context.lineTo(this.size, middle);
    this.context.stroke();
  }

  isBeyond(x, y) {
    return Math.max(Math.abs(x), Math.abs(y)) > this.reach;
  }

  /* The position of a point's marker: inside the edge, so that the marker is whole, even if the point lies beyond it. */
  toMarker(x, y) {
    return this.toScreen(x, y).map((position) => Math.min(this.size - INSET, Math.max(INSET, position)));
  }

  /* Begin a path along an ellipse, in the plane's coordinates. */
  traceEllipse(x, y, width, height) {
    const unit = this.size / (2 * this.reach);
    this.context.beginPath();
    this.context.ellipse(...this.toScreen(x, y), width * unit, height * unit, 0, 0, 2 * Math.PI);
  }

  /* The current point; hollow if it lies beyond the edge. */
  drawPoint(x, y) {
    const isBeyond = this.isBeyond(x, y);
    this.context.strokeStyle = this.color(isBeyond ? "own" : "ink");
    this.context.fillStyle = this.color(isBeyond ? "card" : "own");
    this.context.lineWidth = isBeyond ? 3 : 2;
    this.context.beginPath();
    this.context.arc(...this.toMarker(x, y), 7, 0, 2 * Math.PI);
    this.context.fill();
    this.context.stroke();
  }

  /* A point other than the current point. */
  drawCross(x, y) {
    const [left, top] = this.toScreen(x, y);
    this.context.strokeStyle = this.color("ink");
    this.context.lineWidth = 2;
    this.context.beginPath();
    for (const [dx, dy] of [[6, 0], [0, 6]]) {
      this.context.moveTo(left - dx, top - dy);
      this.context.lineTo(left + dx, top + dy);
    }
    this.context.stroke();
  }

  /* Put a node beside a point, at the side that has more room. */
  placeBeside(node, x, y) {
    const [left, top] = this.toScreen(x, y);
    node.classList.toggle("left", left > this.size / 2);
    node.style.setProperty("--x", `${left}px`);
    node.style.setProperty("--y", `${top}px`);
  }

  #pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const inside = (share) => Math.min(1, Math.max(-1, share)) * this.reach;
    return {
      x: inside(((event.clientX - box.left) / box.width) * 2 - 1),
      y: inside(1 - ((event.clientY - box.top) / box.height) * 2),
    };
  }
}
