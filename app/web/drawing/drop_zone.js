/* Takes image files that are dropped or pasted anywhere on the page, which the browser would open instead. */

/* Return {listen(), ignore()}. `node` is highlighted during a drag; `onOther()` is called if no file was dropped. */
export function makeDropZone(node, onFile, onOther) {
  const highlight = (isOver) => node.classList.toggle("dropping", isOver);
  const listeners = {
    dragover(event) {
      event.preventDefault();
      highlight(true);
    },
    // Also fired between elements; on leaving the document there is no next element.
    dragleave: (event) => event.relatedTarget || highlight(false),
    drop(event) {
      event.preventDefault();
      highlight(false);
      const [file] = event.dataTransfer.files;
      if (file) onFile(file);
      else onOther();
    },
    paste(event) {
      const [file] = event.clipboardData.files;
      if (file) onFile(file);
    },
  };
  return {
    listen: () => Object.entries(listeners).forEach(([name, listener]) => document.addEventListener(name, listener)),
    ignore: () => Object.entries(listeners).forEach(([name, listener]) => document.removeEventListener(name, listener)),
  };
}
