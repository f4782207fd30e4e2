/* The slider over the time of training: chooses the snapshot of the run that all frameworks use. Loads nothing. */

import { button, element } from "./elements.js";
import { term } from "./glossary.js";

const STEP_MS = 900;

/*
 * Return {node, value, read(), update(), stop()}. `value` is an epoch, or null for the finished model; `owners()` returns the
 * frameworks whose snapshots are used; `onChange()` follows the slider, and returns a promise of the results. Hidden where
 * there are no snapshots.
 */
export function makeTimeSlider(app, { owners, onChange }) {
  let chosen = null;
  let playing = null;
  const input = element("input", {
    type: "range", id: "epoch", "aria-label": "Time of training", min: 0, step: 1, oninput: () => pick(Number(input.value)),
  });
  const shown = element("output", { for: "epoch" });
  const play = button("Play", () => (playing === null ? start() : stop()), { class: "quiet", "aria-label": "Play the training" });
  const node = element("div", { class: "row time-slider", hidden: true },
    term("snapshot", "Watch it learn"), input, shown, play);
  const slider = {
    node,
    get value() {
      return epochs().includes(chosen) ? chosen : null;
    },
    read() {
      const linked = app.state.get("epoch");
      chosen = linked === null ? null : Number(linked);
      update();
    },
    update,
    stop,
  };

  /* The epochs that all owners have, the earliest first. */
  function epochs() {
    const [first, ...others] = owners().map((name) => app.frameworks.epochsOf(name));
    return (first ?? []).filter((epoch) => others.every((list) => list.includes(epoch)));
  }

  function update() {
    const list = epochs();
    const at = list.indexOf(slider.value);
    node.hidden = list.length === 0;
    input.max = list.length;
    input.value = at < 0 ? list.length : at;
    shown.textContent = wordsOf(slider.value);
    input.setAttribute("aria-valuetext", wordsOf(slider.value));
  }

  function pick(place) {
    stop();
    move(place);
  }

  function move(place) {
    chosen = epochs()[place] ?? null;
    app.state.set({ epoch: chosen });
    update();
    return onChange();
  }

  /* Each epoch is shown for a while, and until its results are there: the service loads a snapshot when it is first used. */
  async function start() {
    const run = {};
    playing = run;
    play.textContent = "Stop";
    for (let place = 0; place < epochs().length; place += 1) {
      await Promise.all([move(place), pause(STEP_MS)]);
      if (playing !== run) return;
    }
    move(epochs().length);
    stop();
  }

  function stop() {
    playing = null;
    play.textContent = "Play";
  }

  app.frameworks.changed(update);
  return slider;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function wordsOf(epoch) {
  if (epoch === null) return "trained";
  return epoch === 0 ? "untrained" : `epoch ${epoch}`;
}
