/* The map beside the canvas: where each framework's encoder places the drawing, while the hand moves. Pointing decodes. */

import { markOf } from "../charts/charts.js";
import { titleOf } from "../api/frameworks.js";
import { stack } from "../api/npy.js";
import { level } from "../drawing/pixels.js";
import { element, headRow, section } from "../parts/elements.js";
import { about } from "../parts/glossary.js";
import { drawImages, makeThumbnail } from "../results/grids.js";
import { makePace } from "../results/pace.js";
import { explainNoMap } from "./map_card.js";
import { BEYOND, Plane } from "./plane.js";
import { drawLabels, reachOf } from "./scatter.js";
import { mapOf, project, spreadOf, translate } from "./translation.js";

// While the hand moves, points are refreshed this often, in milliseconds, and in changes of the image.
const ENCODE_PACE = [200, 3];

const aboutOf = ({ exampleNoun }) =>
  `Each small number or dot is a ${exampleNoun}, at the place where the encoder puts it, flattened to two dimensions. The markers, ` +
  "one for each framework, are your drawing: they move while you draw. The ellipse is the encoder's spread, ±2σ. " +
  "Point at the map to see what the decoder draws there, and click to take that as your drawing. With the keyboard: " +
  "arrow keys move, Enter takes.";

/*
 * Return {node, load(), update({live}), clear()}. `requestOf(framework)` returns the request that encodes the drawing,
 * `spaceOf` is that of the weights switch, and `onKeep(image)` is called for a click.
 */
export function makeLiveMap({ frameworks, examples, ask }, { requestOf, spaceOf, onKeep }) {
  const encodings = new Map();
  let map = { frameworks: {} };
  let labels = null;
  let cursor = null;
  let decoding = null;
  const isEncodingDue = makePace(...ENCODE_PACE);
  let version = 0;
  const picture = makeThumbnail();
  const preview = element("div", { class: "hovered card", hidden: true, "aria-hidden": "true" }, picture);
  const plane = new Plane({
    label: "Map of the latent space with your drawing. Arrow keys move over it, Enter takes what is decoded there.",
    reach: 1,
    draw,
    onMove: (point, { isFirst }) => isFirst && keep(point),
    onStep([right, up]) {
      const start = cursor ?? drawingPoint() ?? { x: 0, y: 0 };
      const inside = (value) => Math.min(plane.reach, Math.max(-plane.reach, value));
      peek({ x: inside(start.x + right), y: inside(start.y + up) });
    },
    onHover: (point) => peek(point),
  });
  plane.node.append(preview);
  plane.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && cursor) keep(cursor);
  });
  plane.canvas.addEventListener("blur", () => peek(null));
  const hint = element("p", { class: "hint" });
  const node = section("card live-map", "Map of the latent space",
    headRow(element("h2", {}, `Where your ${examples.noun} lands`), about("live-map", aboutOf(examples))),
    plane.node, hint);

  async function load() {
    [map, { labels }] = await Promise.all([examples.loadMap(), examples.loadFirst()]);
    describe();
    plane.draw();
  }

  /* The framework whose map is shown: the first that has one. */
  function shownSpace() {
    return frameworks.names.map(spaceOf).find((name) => mapOf(map, frameworks, name)) ?? null;
  }

  function shownMap() {
    return mapOf(map, frameworks, shownSpace());
  }

  function describe() {
    const space = shownSpace();
    if (space) plane.reach = reachOf(shownMap());
    plane.node.hidden = space === null;
    hint.textContent = space === null
      ? explainNoMap(frameworks, spaceOf(frameworks.names[0]))
      : `${titleOf(space)}'s latent space. Point at it to decode, click to keep.${isAnyBeyond() ? ` ${BEYOND}` : ""}`;
  }

  function isAnyBeyond() {
    return frameworks.names.map(pointOf).some((point) => point && plane.isBeyond(point.x, point.y));
  }

  /*
   * A framework's encoding of the drawing on the shown map, as {x, y, width, height, mean}. Null if the drawing isn't
   * encoded, or can't be translated to the map's space.
   */
  function pointOf(framework) {
    const [space, encoding] = [shownSpace(), encodings.get(framework)];
    if (!space || !encoding) return null;
    const mean = translate(encoding.mean, map, frameworks, encoding.space, space);
    if (!mean) return null;
    const [x, y] = project(mean, shownMap());
    const [width, height] = spreadOf(encoding.logvar, map, encoding.space, space);
    return { x, y, width, height, mean };
  }

  /* The point of the first framework that has one. */
  function drawingPoint() {
    return frameworks.names.map(pointOf).find((point) => point !== null) ?? null;
  }

  function draw({ context }) {
    if (!shownMap()) return;
    context.globalAlpha = 0.55;
    drawLabels(plane, shownMap().points, labels);
    context.globalAlpha = 1;
    for (const framework of frameworks.names) {
      const point = pointOf(framework);
      if (point) drawMarker(context, framework, point);
    }
    if (cursor) plane.drawCross(cursor.x, cursor.y);
  }

  function drawMarker(context, framework, { x, y, width, height }) {
    const color = plane.color(framework);
    const isBeyond = plane.isBeyond(x, y);
    context.fillStyle = context.strokeStyle = color;
    context.lineWidth = 2;
    plane.traceEllipse(x, y, 2 * width, 2 * height);
    context.globalAlpha = 0.2;
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
    const mark = new Path2D();
    mark.addPath(new Path2D(markOf(framework)), new DOMMatrix().translate(...plane.toMarker(x, y)));
    context.fillStyle = isBeyond ? plane.color("card") : color;
    context.fill(mark);
    context.strokeStyle = isBeyond ? color : plane.color("ink");
    context.lineWidth = isBeyond ? 2 : 1;
    context.stroke(mark);
  }

  /* The latents at a point of the map: the drawing's, moved along the map's two axes. */
  function latentsAt(point) {
    const { center, axes } = shownMap();
    const z = Float32Array.from(drawingPoint()?.mean ?? center);
    const [x, y] = project(z, shownMap());
    return z.map((value, index) => value + (point.x - x) * axes[0][index] + (point.y - y) * axes[1][index]);
  }

  /* Show the image that is decoded at a point, beside the point; null shows nothing. */
  async function peek(point) {
    cursor = point;
    plane.draw();
    const image = point && shownMap() ? await decode(point) : null;
    if (cursor !== point) return;
    decoding = image && { point, image };
    preview.hidden = !image;
    if (!image) return;
    drawImages(picture, image);
    plane.placeBeside(preview, point.x, point.y);
  }

  async function keep(point) {
    if (!shownMap()) return;
    const image = decoding?.point === point ? decoding.image : await decode(point, { live: false });
    if (image) onKeep(Uint8Array.from(image.data, (value) => level(value)));
  }

  /* The decoded image, or null if a newer request replaced it or the framework isn't available. */
  async function decode(point, { live = true } = {}) {
    const space = shownSpace();
    const framework = frameworks.ready.find((name) => spaceOf(name) === space);
    if (!framework) return null;
    const query = frameworks.queryOf(framework, space === framework ? null : space);
    const body = stack([latentsAt(point)]);
    try {
      return (await ask({ path: "/decode", query, body, kind: "peek", live })).array;
    } catch {
      // The panels say why.
      return null;
    }
  }

  /* The drawing has changed, or its weights have. */
  function update({ live = false }) {
    version += 1;
    if (!live) describe();
    if (!shownMap() || (live && !isEncodingDue())) return;
    for (const framework of frameworks.ready) encode(framework, live);
  }

  async function encode(framework, live) {
    const [sentVersion, space] = [version, spaceOf(framework)];
    try {
      const { json } = await ask({ ...requestOf(framework), format: "json", kind: "encode", live, aside: true });
      if (sentVersion < (encodings.get(framework)?.version ?? 0)) return;
      encodings.set(framework, { mean: json.mean[0], logvar: json.logvar[0], space, version: sentVersion });
      node.dataset.placed = encodings.size;
      describe();
      plane.draw();
    } catch {
      // The panels say why.
      encodings.delete(framework);
    }
  }

  function clear() {
    encodings.clear();
    plane.draw();
  }

  return { node, load, update, clear };
}
