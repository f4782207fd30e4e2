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
  #undone = [];
  #undo = [];
  #last = null;
  #keyboard = null;

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
    this.node = imageCanvas(LABEL, { class: "pixels drawing", role: "application", tabindex: 0 });
    this.node.addEventListener("pointerdown", (event) => this.#begin(event));
    this.node.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) this.node.addEventListener(end, (event) => this.#end(event));
    this.node.addEventListener("keydown", (event) => this.#press(event));
    this.node.addEventListener("blur", () => this.#show((this.#keyboard = null)));
    this.#show();
  }

  /* True while a pointer draws. */
  get isPenDown() {
    return this.#last !== null;
  }

  get isEmpty() {
    return this.image.every((value) => value === 0);
  }

  /* Replace the image; undo restores the one before. */
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
    this.#step(this.#undo, this.#undone);
  }

  redo() {
    this.#step(this.#undone, this.#undo);
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
    this.#undone = [];
    this.#undo.push(this.image.slice());
    if (this.#undo.length > UNDO_STEPS) this.#undo.shift();
  }

  /* Before a stroke: an example gives way to it. */
  #prepare() {
    this.#remember();
    if (this.isExample && !this.isEraser) this.image = new Uint8Array(imageSize.pixels);
    this.isExample = false;
  }

  #begin(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.node.setPointerCapture(event.pointerId);
    this.#prepare();
    this.#last = this.#place(event);
    this.#line(this.#last, this.#last, this.#radiusOf(event));
    this.#show();
    this.#onChange({ live: true, at: event.timeStamp, isHand: true });
  }

  #move(event) {
    if (!this.#last || !event.isPrimary) return;
    // All positions since the last frame.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length > 0 ? passed : [event]) {
      const place = this.#place(one);
      this.#line(this.#last, place, this.#radiusOf(one));
      this.#last = place;
    }
    this.#show();
    this.#onChange({ live: true, at: event.timeStamp, isHand: true });
  }

  #end(event) {
    if (!this.#last || !event.isPrimary) return;
    this.#last = null;
    this.#onChange({ live: true, isHand: true });
  }

  #press(event) {
    const [right, down] = KEYS[event.key] ?? [0, 0];
    if (!KEYS[event.key] && event.key !== " ") return;
    event.preventDefault();
    const before = this.#keyboard ?? { x: imageSize.width / 2, y: imageSize.height / 2, isDown: false };
    const isDown = event.key === " " ? !before.isDown : before.isDown;
    const inside = (value, size) => Math.min(size - 0.5, Math.max(0.5, value));
    this.#keyboard = { x: inside(before.x + right, imageSize.width), y: inside(before.y + down, imageSize.height), isDown };
    if (isDown) {
      if (!before.isDown) this.#prepare();
      this.#line(before, this.#keyboard, this.radius);
      this.#onChange({ live: true, at: event.timeStamp, isHand: true });
    }
    this.#show();
  }

  #place(event) {
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
      const along = length && Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
      const distance = Math.hypot(x - from.x - along * dx, y - from.y - along * dy);
      const ink = level(radius + 0.5 - distance);
      this.image[pixel] = this.isEraser ? Math.min(this.image[pixel], 255 - ink) : Math.max(this.image[pixel], ink);
    }
  }

  #show() {
    drawImages(this.node, this.image);
    if (!this.#keyboard) return;
    const context = this.node.getContext("2d");
    context.fillStyle = this.#keyboard.isDown ? "#f0a020" : "#3b8eea";
    context.fillRect(Math.floor(this.#keyboard.x), Math.floor(this.#keyboard.y), 1, 1);
  }
}
