/* Takes image files that are dropped or pasted anywhere on the page, so that the browser never opens them instead. */

/* Return {listen(), ignore()}. `node` is highlighted while something is dragged; `onOther()` if it holds no file. */
export function makeDropZone(node, onFile, onOther) {
  const highlight = (isOver) => node.classList.toggle("dropping", isOver);
  const listeners = {
    dragover(event) {
      event.preventDefault();
      highlight(true);
    },
    // Also fired between elements; only leaving the document has no next one.
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
