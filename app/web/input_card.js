/* Where the visitor's image comes from: drawn, a picture of their own, or a digit of the test set. */

import { Drawing } from "./drawing.js";
import { makeDigitStrip } from "./digit_strip.js";
import { button, choice, element, field } from "./elements.js";
import { makeNotice } from "./parts.js";
import { PictureProblem, readPicture } from "./pictures.js";

const INKS = [["auto", "Find out the ink"], ["dark", "Dark on light"], ["light", "Light on dark"]];

/*
 * Return {node, strip, drawing, show(), hide()}. `onImage({live, at, digit})` is called when there is another image
 * in `drawing.image`, `digit` being its index in the test set or null. Pictures can be pasted while it is shown.
 */
export function makeInputCard(onImage) {
  let last = null;
  const notice = makeNotice();
  const drawing = new Drawing((change) => {
    forget();
    changed({ digit: null, ...change });
  });
  const strip = makeDigitStrip((digit, image) => {
    forget();
    drawing.set(image);
    changed({ live: false, digit });
  }, { shown: matchMedia("(max-width: 40rem)").matches ? 6 : 16 });

  /* What is there now isn't of the last picture any more. */
  function forget() {
    last = null;
    about.textContent = "";
  }

  function changed(change) {
    notice.clear();
    hint.hidden = !drawing.isEmpty;
    onImage(change);
  }

  async function take(blob) {
    last = blob;
    try {
      const { image, isDark } = await readPicture(blob, { ink: ink.value, centred: centred.checked });
      // Meanwhile another one was handed over, or something was drawn.
      if (last !== blob) return;
      drawing.set(image);
      changed({ live: false, digit: null });
      about.textContent = `Taken as ${isDark ? "dark on light" : "light on dark"}.`;
    } catch (error) {
      if (!(error instanceof PictureProblem)) throw error;
      notice.say(error.message);
    }
  }

  const again = () => last && take(last);
  const hint = element("p", { class: "draw-hint", "aria-hidden": "true" }, "Draw a digit");
  const about = element("span", { class: "hint", role: "status" });
  const file = element("input", { type: "file", accept: "image/*", id: "picture", class: "offscreen-input" });
  file.addEventListener("change", () => {
    if (file.files[0]) take(file.files[0]);
    file.value = "";
  });
  const ink = choice("ink", INKS, again);
  const centred = element("input", { type: "checkbox", id: "centred", checked: true, onchange: again });

  const node = element("section", { class: "card input-card", "aria-label": "Your digit" },
    element("div", { class: "drawing-place" }, drawing.node, hint),
    makeTools(drawing),
    notice.node,
    element("div", { class: "row own-picture" },
      file,
      element("label", { for: "picture", class: "button" }, "Choose a picture"),
      element("label", { for: "ink", class: "offscreen" }, "Which ink the picture has"),
      ink,
      element("span", { class: "check" },
        centred, element("label", { for: "centred" }, "Crop and centre as MNIST did")),
    ),
    element("p", { class: "hint" }, "Or drop one here, or paste it: a photo of your handwriting will do. ", about),
  );
  node.addEventListener("dragover", (event) => {
    event.preventDefault();
    node.classList.add("dropping");
  });
  node.addEventListener("dragleave", () => node.classList.remove("dropping"));
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    node.classList.remove("dropping");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    else notice.say("That wasn't a picture: drop an image file.");
  });
  const paste = (event) => {
    const [picture] = event.clipboardData.files;
    if (picture) take(picture);
  };
  return {
    node,
    strip,
    drawing,
    show: () => {
      hint.hidden = !drawing.isEmpty;
      document.addEventListener("paste", paste);
    },
    hide: () => document.removeEventListener("paste", paste),
  };
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
    button("Undo", () => drawing.undo()),
    button("Clear", () => drawing.clear()),
    field("Thickness", width),
  );
}
