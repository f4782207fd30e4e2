/* A canvas of the models' image size, to draw on with a mouse, a finger, a pen or the keyboard. */

import { drawImages, imageCanvas } from "../results/grids.js";
import { imageSize, level } from "./pixels.js";

const UNDO_STEPS = 50;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LABEL =
  "Your drawing, white on black. Draw with the pointer, or with the keyboard: Space lowers or lifts the pen, arrow keys " +
  "move it, Control Z undoes.";

export class Drawing {
  #onChange;
  #redoImages = [];
  #undoImages = [];
  #penPosition = null;
  #cursor = null;

  image = new Uint8Array(imageSize.pixels);

  /* Half the width of a line, in pixels of the image. */
  radius = 1.1;
  isEraser = false;

  /* True while the image is an example, which the first stroke replaces. */
  isExample = false;

  /*
   * `onChange({live, at, isHand})` is called after each change: `live` during a gesture, `at` its timestamp, `isHand`
   * for strokes of the visitor.
   */
  constructor(onChange) {
    this.#onChange = onChange;
    this.node = imageCanvas(LABEL, {
      class: "pixels drawing", role: "application", tabindex: 0,
      onpointerdown: (event) => this.#begin(event),
      onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#end(event),
      onpointercancel: (event) => this.#end(event),
      onkeydown: (event) => this.#press(event),
      onblur: () => {
        this.#cursor = null;
        this.#show();
      },
    });
    this.#show();
  }

  /* True while a pointer draws. */
  get isPenDown() {
    return this.#penPosition !== null;
  }

  get isEmpty() {
    return this.image.every((value) => value === 0);
  }

  /* Replace the image; undo restores the previous one. */
  set(image, { isExample = false } = {}) {
    this.#remember();
    this.image = Uint8Array.from(image);
    this.isExample = isExample;
    this.#show();
  }

  clear() {
    this.set(new Uint8Array(imageSize.pixels));
    this.#onChange({ live: false });
  }

  undo() {
    this.#step(this.#undoImages, this.#redoImages);
  }

  redo() {
    this.#step(this.#redoImages, this.#undoImages);
  }

  /* Draw a line between two points, in pixels of the image, as a hand would. */
  stroke(from, to) {
    this.#line(from, to, this.radius);
    this.#show();
    this.#onChange({ live: true });
  }

  #step(from, to) {
    const image = from.pop();
    if (!image) return;
    to.push(this.image);
    this.image = image;
    this.isExample = false;
    this.#show();
    this.#onChange({ live: false });
  }

  #remember() {
    this.#redoImages = [];
    this.#undoImages.push(this.image.slice());
    if (this.#undoImages.length > UNDO_STEPS) this.#undoImages.shift();
  }

  /* Before a stroke: clear an example. */
  #prepare() {
    this.#remember();
    if (this.isExample && !this.isEraser) this.image = new Uint8Array(imageSize.pixels);
    this.isExample = false;
  }

  #begin(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.node.setPointerCapture(event.pointerId);
    this.#prepare();
    this.#penPosition = this.#positionOf(event);
    this.#line(this.#penPosition, this.#penPosition, this.#radiusOf(event));
    this.#showStroke(event);
  }

  #move(event) {
    if (!this.#penPosition || !event.isPrimary) return;
    // All moves since the last frame.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) {
      const position = this.#positionOf(move);
      this.#line(this.#penPosition, position, this.#radiusOf(move));
      this.#penPosition = position;
    }
    this.#showStroke(event);
  }

  #showStroke(event) {
    this.#show();
    this.#onChange({ live: true, at: event.timeStamp, isHand: true });
  }

  #end(event) {
    if (!this.#penPosition || !event.isPrimary) return;
    this.#penPosition = null;
    this.#onChange({ live: true, isHand: true });
  }

  #press(event) {
    const [right, down] = KEYS[event.key] ?? [0, 0];
    if (!KEYS[event.key] && event.key !== " ") return;
    event.preventDefault();
    const previous = this.#cursor ?? { x: imageSize.width / 2, y: imageSize.height / 2, isDown: false };
    const isDown = event.key === " " ? !previous.isDown : previous.isDown;
    const inside = (value, size) => Math.min(size - 0.5, Math.max(0.5, value));
    this.#cursor = { x: inside(previous.x + right, imageSize.width), y: inside(previous.y + down, imageSize.height), isDown };
    if (isDown) {
      if (!previous.isDown) this.#prepare();
      this.#line(previous, this.#cursor, this.radius);
      this.#onChange({ live: true, at: event.timeStamp, isHand: true });
    }
    this.#show();
  }

  #positionOf(event) {
    const box = this.node.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * imageSize.width,
      y: ((event.clientY - box.top) / box.height) * imageSize.height,
    };
  }

  #radiusOf(event) {
    return event.pointerType === "pen" ? this.radius * (0.5 + event.pressure) : this.radius;
  }

  /* A line with round ends, and edges one pixel soft. */
  #line(from, to, radius) {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    for (let pixel = 0; pixel < imageSize.pixels; pixel += 1) {
      const [x, y] = [(pixel % imageSize.width) + 0.5, Math.floor(pixel / imageSize.width) + 0.5];
      const share = length && Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
      const distance = Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
      const ink = level(radius + 0.5 - distance);
      this.image[pixel] = this.isEraser ? Math.min(this.image[pixel], 255 - ink) : Math.max(this.image[pixel], ink);
    }
  }

  #show() {
    drawImages(this.node, this.image);
    if (!this.#cursor) return;
    const { x, y, isDown } = this.#cursor;
    const context = this.node.getContext("2d");
    context.fillStyle = isDown ? "#f0a020" : "#3b8eea";
    context.fillRect(Math.floor(x), Math.floor(y), 1, 1);
  }
}
