/* The visitor's image: drawn, read from an image file, or picked from the test digits. */

import { PictureProblem, readPicture } from "./image_file.js";
import { Drawing } from "./drawing.js";
import { makeDigitStrip } from "./digit_strip.js";
import { makeDropZone } from "./drop_zone.js";
import { mayWrite, writeDigit } from "./ghost_pen.js";
import { imageSize } from "./pixels.js";
import { button, choice, element, field, section } from "../parts/elements.js";
import { makeNotice } from "../parts/notice.js";

const INKS = [["auto", "Detect automatically"], ["dark", "Dark on light"], ["light", "Light on dark"]];
const DRAW = "Draw here";
const YOUR_TURN = "Your turn: draw here";

/*
 * Return {node, strip, drawing, take(image), show(), hide(), greet()}. `onImage({live, at, digit})` is called after each
 * change of `drawing.image`; `digit` is its index among the test digits, or null. While shown, the card takes files that
 * are dropped or pasted anywhere on the page. `greet()` starts the ghost pen on the first visit. If `isMnist`, pictures may
 * be cropped as MNIST's digits were.
 */
export function makeInputCard(onImage, { examples, isMnist }) {
  let lastFile = null;
  let ghost = null;
  const notice = makeNotice();
  const drawing = new Drawing((change) => {
    forget();
    if (change.isHand || !change.live) stopGhost();
    update({ digit: null, ...change });
  });
  const strip = makeDigitStrip(examples, replaceImage, matchMedia("(max-width: 40rem)").matches ? 6 : 16);

  /* Forget the last file: the image no longer shows it. */
  function forget() {
    lastFile = null;
    showFile(null);
  }

  /* Describe how the last file was read, and show it in its own shape. */
  function showFile(picture) {
    status.textContent = picture ? describe(picture) : "";
    original.hidden = !picture;
    original.replaceChildren(...(picture ? [picture.preview] : []));
  }

  function update(change) {
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
    lastFile = blob;
    stopGhost();
    showFile(null);
    try {
      const picture = await readPicture(blob, { ink: ink.value, centered: centered.checked });
      // Overtaken by another file, or by drawing.
      if (lastFile !== blob) return;
      drawing.set(picture.image);
      update({ live: false, digit: null });
      showFile(picture);
    } catch (error) {
      if (!(error instanceof PictureProblem)) throw error;
      notice.say(error.message);
    }
  }

  /* Replace the image by an example, or by another image if `digit` is null. */
  function replaceImage(digit, image) {
    forget();
    stopGhost();
    drawing.set(image, { isExample: digit !== null });
    update({ live: false, digit });
  }

  const takeAgain = () => lastFile && take(lastFile);
  const hint = element("p", { class: "draw-hint", "aria-hidden": "true" }, DRAW);
  const status = element("span", { class: "hint", role: "status" });
  const original = element("div", { class: "original", hidden: true });
  const file = element("input", {
    type: "file", accept: "image/*", id: "picture", class: "offscreen-input",
    onchange() {
      if (file.files[0]) take(file.files[0]);
      file.value = "";
    },
  });
  const ink = choice("ink", INKS, takeAgain);
  const centered = element("input", { type: "checkbox", id: "centered", checked: isMnist, onchange: takeAgain });
  const node = section("card input-card", `Your ${examples.noun}`,
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
    element("p", { class: "hint" }, `Or drop or paste an image.${isMnist ? " A photo of your handwriting works fine." : ""} `, status),
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
    take: (image) => replaceImage(null, image),
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
    pen.setAttribute("aria-pressed", !isEraser);
    eraser.setAttribute("aria-pressed", isEraser);
  };
  const pen = button("Pen", () => pick(false));
  const eraser = button("Eraser", () => pick(true));
  pick(false);
  const width = element("input", {
    type: "range", id: "thickness", min: 0.5, max: 2.5, step: 0.1, value: drawing.radius,
    oninput() {
      drawing.radius = Number(width.value);
    },
  });
  return element("div", { class: "row tools" },
    pen, eraser,
    button("Undo", () => drawing.undo(), { title: "Ctrl+Z; Ctrl+Shift+Z redoes" }),
    button("Clear", () => drawing.clear()),
    field("Thickness", width),
  );
}
