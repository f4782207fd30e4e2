/* The visitor's image: drawn, read from an image file, or picked from the test digits. */

import { PictureProblem, readPicture } from "./image_file.js";
import { Drawing } from "./drawing.js";
import { makeDigitStrip } from "./digit_strip.js";
import { makeDropZone } from "./drop_zone.js";
import { mayWrite, writeDigit } from "./ghost_pen.js";
import { imageSize } from "./pixels.js";
import { button, choice, element, field } from "../parts/elements.js";
import { makeNotice } from "../parts/notice.js";

const INKS = [["auto", "Detect automatically"], ["dark", "Dark on light"], ["light", "Light on dark"]];
const DRAW = "Draw here";
const YOUR_TURN = "Your turn: draw here";

/*
 * Return {node, strip, drawing, take(image), show(), hide(), greet()}. `onImage({live, at, digit})` is called after each change of
 * `drawing.image`; `digit` is its index among the test digits, or null. While shown, the card takes files that are dropped
 * or pasted anywhere on the page. `greet()` has the ghost pen write on the first visit. Cropping as
 * MNIST's digits were is offered if `isMnist`.
 */
export function makeInputCard(onImage, { examples, isMnist }) {
  let last = null;
  let ghost = null;
  const notice = makeNotice();
  const drawing = new Drawing((change) => {
    forget();
    if (change.isHand || !change.live) stopGhost();
    changed({ digit: null, ...change });
  });
  const strip = makeDigitStrip(examples, (digit, image) => {
    forget();
    stopGhost();
    drawing.set(image, { isExample: true });
    changed({ live: false, digit });
  }, { shown: matchMedia("(max-width: 40rem)").matches ? 6 : 16 });

  /* Forget the last file: the image no longer shows it. */
  function forget() {
    last = null;
    showFile(null);
  }

  /* Say how the last file was read, and show it in its own shape. */
  function showFile(read) {
    about.textContent = read ? describe(read) : "";
    original.hidden = !read;
    original.replaceChildren(...(read ? [read.preview] : []));
  }

  function changed(change) {
    notice.clear();
    updateHint();
    onImage(change);
  }

  function updateHint() {
    hint.hidden = !drawing.isEmpty && !drawing.isExample;
    hint.classList.toggle("over-example", drawing.isExample);
    hint.textContent = DRAW;
  }

  function stopGhost() {
    ghost?.stop();
    ghost = null;
  }

  async function take(blob) {
    last = blob;
    stopGhost();
    showFile(null);
    try {
      const read = await readPicture(blob, { ink: ink.value, centered: centered.checked });
      // Overtaken by another file, or by drawing.
      if (last !== blob) return;
      drawing.set(read.image);
      changed({ live: false, digit: null });
      showFile(read);
    } catch (error) {
      if (!(error instanceof PictureProblem)) throw error;
      notice.say(error.message);
    }
  }

  /* Take an image as the visitor's own. */
  function takeImage(image) {
    forget();
    stopGhost();
    drawing.set(image);
    changed({ live: false, digit: null });
  }

  const again = () => last && take(last);
  const hint = element("p", { class: "draw-hint", "aria-hidden": "true" }, DRAW);
  const about = element("span", { class: "hint", role: "status" });
  const original = element("div", { class: "original", hidden: true });
  const file = element("input", { type: "file", accept: "image/*", id: "picture", class: "offscreen-input" });
  file.addEventListener("change", () => {
    if (file.files[0]) take(file.files[0]);
    file.value = "";
  });
  const ink = choice("ink", INKS, again);
  const centered = element("input", { type: "checkbox", id: "centered", checked: isMnist, onchange: again });
  const node = element("section", { class: "card input-card", "aria-label": `Your ${examples.noun}` },
    element("div", { class: "drawing-place" }, drawing.node, hint,
      element("p", { class: "keys-hint", "aria-hidden": "true" }, "Space: pen up/down. Arrows: move. Ctrl+Z: undo.")),
    makeTools(drawing),
    notice.node,
    element("div", { class: "row own-picture" },
      file,
      element("label", { for: "picture", class: "button" }, "Upload a picture"),
      element("label", { for: "ink", class: "offscreen" }, "Ink color"),
      ink,
      isMnist
        ? element("span", { class: "check" },
          centered, element("label", { for: "centered" }, "Crop and center, like the training digits"))
        : null,
    ),
    element("p", { class: "hint" }, `Or drop or paste an image.${isMnist ? " A photo of your handwriting works fine." : ""} `, about),
    original,
  );
  const dropZone = makeDropZone(node, take, () => notice.say("That wasn't an image. Drop an image file."));
  const undoByKey = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z") return;
    if (event.target.matches("input:not([type=range], [type=checkbox])")) return;
    event.preventDefault();
    if (event.shiftKey) drawing.redo();
    else drawing.undo();
  };
  return {
    node,
    strip,
    drawing,
    take: takeImage,
    show() {
      updateHint();
      dropZone.listen();
      document.addEventListener("keydown", undoByKey);
    },
    hide() {
      stopGhost();
      dropZone.ignore();
      document.removeEventListener("keydown", undoByKey);
    },
    greet() {
      if (!mayWrite()) return;
      ghost = writeDigit(drawing, [imageSize.height, imageSize.width], () => {
        drawing.isExample = true;
        updateHint();
        hint.textContent = YOUR_TURN;
      });
    },
  };
}

function describe({ isDark, isCrowded, isReshaped }) {
  return [
    `Read as ${isDark ? "dark ink on light paper" : "light ink on a dark ground"}.`,
    isCrowded && "More than one digit? Crop the picture to one.",
    isReshaped && `Resized to the model's ${imageSize.width} × ${imageSize.height} pixels, so its shape changes, as in training.`,
  ].filter(Boolean).join(" ");
}

function makeTools(drawing) {
  const pick = (isEraser) => {
    drawing.isEraser = isEraser;
    pen.setAttribute("aria-pressed", String(!isEraser));
    eraser.setAttribute("aria-pressed", String(isEraser));
  };
  const pen = button("Pen", () => pick(false), { "aria-pressed": "true" });
  const eraser = button("Eraser", () => pick(true), { "aria-pressed": "false" });
  const width = element("input", {
    type: "range", id: "thickness", min: 0.5, max: 2.5, step: 0.1, value: drawing.radius,
  });
  width.addEventListener("input", () => {
    drawing.radius = Number(width.value);
  });
  return element("div", { class: "row tools" },
    pen, eraser,
    button("Undo", () => drawing.undo(), { title: "Ctrl+Z; Ctrl+Shift+Z redoes" }),
    button("Clear", () => drawing.clear()),
    field("Thickness", width),
  );
}
