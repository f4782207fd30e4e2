/* The map beside the canvas: where each framework's encoder places the drawing, while the hand moves. Pointing decodes. */

import { markOf } from "../charts/charts.js";
import { titleOf } from "../api/frameworks.js";
import { stack } from "../api/npy.js";
import { imageSize, level } from "../drawing/pixels.js";
import { element } from "../parts/elements.js";
import { about } from "../parts/glossary.js";
import { drawImages } from "../results/grids.js";
import { makePace } from "../results/pace.js";
import { BEYOND, Plane } from "./plane.js";
import { drawLabels } from "./scatter.js";
import { mapOf, project, spreadOf, translate } from "./translation.js";

// While the hand moves, points are refreshed this often, in milliseconds, and in changes of the image.
const ENCODE_PACE = [200, 3];

const aboutOf = ({ words }) =>
  `Each small number or dot is a ${words}, at the place where the encoder puts it, flattened to two dimensions. The markers, ` +
  "one for each framework, are your drawing: they move while you draw. The ellipse is the encoder's spread, ±2σ. " +
  "Point at the map to see what the decoder draws there, and click to take that as your drawing. With the keyboard: " +
  "arrow keys move, Enter takes.";

/*
 * Return {node, load(), update({live}), clear()}. `encoding(framework)` returns the request that encodes the drawing, `spaceOf` the
 * framework whose weights, and so whose latent space, a framework uses; `onKeep(image)` is called for a click.
 */
export function makeLiveMap(app, { encoding, spaceOf, onKeep }) {
  const places = new Map();
  let map = { frameworks: {} };
  let labels = null;
  let cursor = null;
  let peeked = null;
  const isEncodingDue = makePace(...ENCODE_PACE);
  let version = 0;
  const picture = element("canvas", { class: "pixels", width: imageSize.width, height: imageSize.height });
  const preview = element("div", { class: "hovered card", hidden: true, "aria-hidden": "true" }, picture);
  const plane = new Plane({
    label: "Map of the latent space with your drawing. Arrow keys move over it, Enter takes what is decoded there.",
    reach: 1,
    draw,
    onMove: (place, { isFirst }) => isFirst && keep(place),
    onStep([right, up]) {
      const at = cursor ?? here() ?? { x: 0, y: 0 };
      const inside = (value) => Math.min(plane.reach, Math.max(-plane.reach, value));
      peek({ x: inside(at.x + right), y: inside(at.y + up) });
    },
    onHover: (place) => peek(place),
  });
  plane.node.append(preview);
  plane.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && cursor) keep(cursor);
  });
  plane.canvas.addEventListener("blur", () => peek(null));
  const hint = element("p", { class: "hint" });
  const node = element("section", { class: "card live-map", "aria-label": "Map of the latent space" },
    element("div", { class: "row head" }, element("h2", {}, `Where your ${app.examples.noun} lands`), about("live-map", aboutOf(app.examples))),
    plane.node, hint);

  async function load() {
    [map, { labels }] = await Promise.all([app.examples.loadMap(), app.examples.loadFirst()]);
    describe();
    plane.draw();
  }

  /* The framework whose map is shown: the first that has one. */
  function shownSpace() {
    return app.frameworks.names.map(spaceOf).find((name) => mapOf(map, app.frameworks, name)) ?? null;
  }

  function ownMap() {
    return mapOf(map, app.frameworks, shownSpace());
  }

  function describe() {
    const space = shownSpace();
    if (space) plane.reach = Math.max(...ownMap().points.flat().map(Math.abs)) * 1.05;
    plane.node.hidden = space === null;
    hint.textContent = space === null
      ? "There is no map for this model: it needs a companion file, made for this checkpoint."
      : `${titleOf(space)}'s latent space. Point at it to decode, click to keep.${isAnyBeyond() ? ` ${BEYOND}` : ""}`;
  }

  function isAnyBeyond() {
    return app.frameworks.names.map(placeOf).some((place) => place && plane.isBeyond(place.x, place.y));
  }

  /* The drawing's place on the shown map, by a framework, as {x, y, width, height}; null if it can't be placed. */
  function placeOf(framework) {
    const [space, own, found] = [shownSpace(), ownMap(), places.get(framework)];
    if (!own || !found) return null;
    const mean = translate(found.mean, map, app.frameworks, found.space, space);
    if (!mean) return null;
    const [x, y] = project(mean, own);
    const [width, height] = spreadOf(found.logvar, map, own, found.space, space);
    return { x, y, width, height, mean };
  }

  function here() {
    return app.frameworks.names.map(placeOf).find((place) => place !== null) ?? null;
  }

  function draw({ context }) {
    const own = ownMap();
    if (!own) return;
    context.globalAlpha = 0.55;
    drawLabels(plane, own.points, labels);
    context.globalAlpha = 1;
    const unit = plane.size / (2 * plane.reach);
    for (const framework of app.frameworks.names) {
      const place = placeOf(framework);
      if (place) drawMarker(context, framework, place, unit);
    }
    if (cursor) plane.drawCross(cursor.x, cursor.y);
  }

  function drawMarker(context, framework, { x, y, width, height }, unit) {
    const color = plane.color(framework);
    const isBeyond = plane.isBeyond(x, y);
    context.fillStyle = context.strokeStyle = color;
    context.lineWidth = 2;
    context.beginPath();
    context.ellipse(...plane.toScreen(x, y), 2 * width * unit, 2 * height * unit, 0, 0, 2 * Math.PI);
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

  /* The latents at a place of the map: the drawing's, moved along the map's two directions. */
  function latentsAt(place) {
    const own = ownMap();
    const start = here();
    const z = Float32Array.from(start?.mean ?? own.center);
    const [x, y] = project(z, own);
    return z.map((value, at) => value + (place.x - x) * own.axes[0][at] + (place.y - y) * own.axes[1][at]);
  }

  /* Show what is decoded at a place, beside it; null shows nothing. */
  async function peek(place) {
    cursor = place;
    plane.draw();
    const image = place && ownMap() ? await decode(place) : null;
    if (cursor !== place) return;
    peeked = image && { place, image };
    preview.hidden = !image;
    if (!image) return;
    drawImages(picture, image);
    const [left, top] = plane.toScreen(place.x, place.y);
    preview.classList.toggle("left", left > plane.size / 2);
    preview.style.setProperty("--x", `${left}px`);
    preview.style.setProperty("--y", `${top}px`);
  }

  async function keep(place) {
    if (!ownMap()) return;
    const image = peeked?.place === place ? peeked.image : await decode(place, { live: false });
    if (image) onKeep(Uint8Array.from(image.data, (value) => level(value)));
  }

  /* The decoded image, or null if a newer request replaced it or the framework isn't available. */
  async function decode(place, { live = true } = {}) {
    const space = shownSpace();
    const framework = app.frameworks.ready.find((name) => spaceOf(name) === space);
    if (!framework) return null;
    const query = app.frameworks.queryOf(framework, space === framework ? null : space);
    const request = { path: "/decode", query, body: stack([latentsAt(place)]), field: "latents" };
    try {
      return (await app.ask({ ...request, framework, kind: "peek", live })).array;
    } catch {
      // The panels say why.
      return null;
    }
  }

  /* The drawing has changed, or its weights have. */
  function update({ live = false }) {
    version += 1;
    if (!live) describe();
    if (!ownMap() || (live && !isEncodingDue())) return;
    for (const framework of app.frameworks.ready) encode(framework, live);
  }

  async function encode(framework, live) {
    const [sent, space] = [version, spaceOf(framework)];
    try {
      const { json } = await app.ask({ ...encoding(framework), framework, as: "json", kind: "encode", live, aside: true });
      if (sent < (places.get(framework)?.version ?? 0)) return;
      places.set(framework, { mean: json.mean[0], logvar: json.logvar[0], space, version: sent });
      node.dataset.placed = places.size;
      describe();
      plane.draw();
    } catch {
      // The panels say why.
      places.delete(framework);
    }
  }

  function clear() {
    places.clear();
    plane.draw();
  }

  return { node, load, update, clear };
}
