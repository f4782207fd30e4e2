/* The slider over the time of training: chooses the snapshot that all frameworks use. Loads nothing. */

import { button, element } from "./elements.js";
import { term } from "./glossary.js";

const STEP_MS = 900;

/*
 * Return {node, value, read(), update(), stop()}. `value` is an epoch, or null for the finished model. `owners()` returns
 * the frameworks whose snapshots are used. `onChange()` is called when the slider moves, and returns a promise of the
 * results. The slider is hidden if there are no snapshots.
 */
export function makeTimeSlider({ state, frameworks }, { owners, onChange }) {
  let chosenEpoch = null;
  let playback = null;
  const input = element("input", {
    type: "range", id: "epoch", "aria-label": "Time of training", min: 0, step: 1,
    oninput() {
      stop();
      move(Number(input.value));
    },
  });
  const output = element("output", { for: "epoch" });
  const play = button("Play", () => (playback === null ? start() : stop()), { class: "quiet", "aria-label": "Play the training" });
  const node = element("div", { class: "row time-slider", hidden: true },
    term("snapshot", "Watch it learn"), input, output, play);
  const slider = {
    node,
    get value() {
      return availableEpochs().includes(chosenEpoch) ? chosenEpoch : null;
    },
    read() {
      const linkedEpoch = state.get("epoch");
      chosenEpoch = linkedEpoch === null ? null : Number(linkedEpoch);
      update();
    },
    update,
    stop,
  };

  /* The epochs that all owners have, the earliest first. */
  function availableEpochs() {
    const lists = owners().map((name) => frameworks.epochsOf(name));
    return (lists[0] ?? []).filter((epoch) => lists.every((epochs) => epochs.includes(epoch)));
  }

  function update() {
    const epochs = availableEpochs();
    const index = epochs.indexOf(slider.value);
    node.hidden = epochs.length === 0;
    input.max = epochs.length;
    input.value = index < 0 ? epochs.length : index;
    output.textContent = labelOf(slider.value);
    input.setAttribute("aria-valuetext", labelOf(slider.value));
  }

  function move(index) {
    chosenEpoch = availableEpochs()[index] ?? null;
    state.set({ epoch: chosenEpoch });
    update();
    return onChange();
  }

  /* Show each epoch for a while, and until its results are there: the service loads a snapshot when it is first used. */
  async function start() {
    const thisPlayback = {};
    playback = thisPlayback;
    play.textContent = "Stop";
    for (let index = 0; index < availableEpochs().length; index += 1) {
      await Promise.all([move(index), pause(STEP_MS)]);
      if (playback !== thisPlayback) return;
    }
    move(availableEpochs().length);
    stop();
  }

  function stop() {
    playback = null;
    play.textContent = "Play";
  }

  frameworks.subscribe(update);
  return slider;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function labelOf(epoch) {
  if (epoch === null) return "trained";
  return epoch === 0 ? "untrained" : `epoch ${epoch}`;
}
