/* Gives each framework the color that `/frameworks` lists, as CSS variables: `--jax`, and `--own` inside `.jax`. */

const DARK_SHARE = 0.4;

const colors = new Map();
let sheet = null;

export function paintFrameworks(list) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  for (const { framework, color } of list) if (/^#[\da-f]{6}$/i.test(color ?? "")) colors.set(framework, color);
  const rules = [...colors].flatMap(([framework, color]) => {
    const name = CSS.escape(framework);
    return [
      `:root { --${name}: ${color}; }`,
      `:root[data-theme="dark"] { --${name}: ${lighten(color)}; }`,
      `.${name}, [data-space="${name}"] { --own: var(--${name}); }`,
    ];
  });
  sheet.replaceSync(rules.join("\n"));
}

/* Mix a color with white, for a contrast of 3:1 on a dark background. */
function lighten(color) {
  const channels = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  return `#${channels.map((value) => Math.round(value + (255 - value) * DARK_SHARE).toString(16).padStart(2, "0")).join("")}`;
}
