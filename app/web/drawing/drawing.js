/* A canvas of 28 x 28 pixels to draw on with a mouse, a finger, a pen or the keyboard. */

import { drawImages, imageCanvas } from "./grids.js";
import { PIXELS, WIDTH, level } from "./pixels.js";

const UNDO_STEPS = 50;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LABEL =
  "Your digit, white on black. Draw with the pointer, or with the arrow keys once the space bar has put the pen down.";

export class Drawing {
  #onChange;
  #undo = [];
  #last = null;
  #keyboard = null;

  image = new Uint8Array(PIXELS);

  /* Half the width of a line, in pixels of the image. */
  radius = 1.1;
  isEraser = false;

  /* `onChange({live, at})` is called with each change; `live` where a hand makes it, `at` the event's time. */
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

  get isEmpty() {
    return this.image.every((value) => value === 0);
  }

  /* Put an image there, from elsewhere; it can be undone. */
  set(image) {
    this.#remember();
    this.image = Uint8Array.from(image);
    this.#show();
  }

  clear() {
    this.set(new Uint8Array(PIXELS));
    this.#onChange({ live: false });
  }

  undo() {
    const before = this.#undo.pop();
    if (!before) return;
    this.image = before;
    this.#show();
    this.#onChange({ live: false });
  }

  #remember() {
    this.#undo.push(this.image.slice());
    if (this.#undo.length > UNDO_STEPS) this.#undo.shift();
  }

  #begin(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.node.setPointerCapture(event.pointerId);
    this.#remember();
    this.#last = this.#place(event);
    this.#line(this.#last, this.#last, this.#radiusOf(event));
    this.#show();
    this.#onChange({ live: true, at: event.timeStamp });
  }

  #move(event) {
    if (!this.#last || !event.isPrimary) return;
    // All that the pointer went through since the last frame.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length > 0 ? passed : [event]) {
      const place = this.#place(one);
      this.#line(this.#last, place, this.#radiusOf(one));
      this.#last = place;
    }
    this.#show();
    this.#onChange({ live: true, at: event.timeStamp });
  }

  #end(event) {
    if (!this.#last || !event.isPrimary) return;
    this.#last = null;
  }

  #press(event) {
    const [right, down] = KEYS[event.key] ?? [0, 0];
    if (!KEYS[event.key] && event.key !== " ") return;
    event.preventDefault();
    const before = this.#keyboard ?? { x: WIDTH / 2, y: WIDTH / 2, isDown: false };
    const isDown = event.key === " " ? !before.isDown : before.isDown;
    const inside = (value) => Math.min(WIDTH - 0.5, Math.max(0.5, value));
    this.#keyboard = { x: inside(before.x + right), y: inside(before.y + down), isDown };
    if (isDown) {
      if (!before.isDown) this.#remember();
      this.#line(before, this.#keyboard, this.radius);
      this.#onChange({ live: true, at: event.timeStamp });
    }
    this.#show();
  }

  #place(event) {
    const box = this.node.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * WIDTH,
      y: ((event.clientY - box.top) / box.height) * WIDTH,
    };
  }

  #radiusOf(event) {
    return event.pointerType === "pen" ? this.radius * (0.5 + event.pressure) : this.radius;
  }

  /* A line with round ends and edges as soft as a pixel. */
  #line(from, to, radius) {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    for (let pixel = 0; pixel < PIXELS; pixel += 1) {
      const [x, y] = [(pixel % WIDTH) + 0.5, Math.floor(pixel / WIDTH) + 0.5];
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
