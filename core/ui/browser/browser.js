// Keys of buttons work while a radio, switch, slider or list that is shut has the focus, and once a field was left by Escape; a page with unsaved work asks before it is left, and shows its top when an answer comes.
const CHOICES = /^(radio|checkbox|range)$/, KEYS = { Enter: "Ctrl + Enter" };
const minded = new WeakMap();

export default function ({ parentElement, data }) {
  const mind = minded.get(parentElement) ?? begin();
  minded.set(parentElement, mind);
  mind.asks = data.asks;
  if (data.showsTop && !mind.showsTop) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  mind.showsTop = data.showsTop;
  return () => { mind.end(); minded.delete(parentElement); };
}

function begin() {
  const press = (event) => {
    const field = event.composedPath()[0];
    if (event.key === "Escape" && /^(INPUT|TEXTAREA)$/.test(field.tagName)) return field.blur();
    const isShut = field.role === "combobox" && field.ariaExpanded !== "true";
    if (field.tagName !== "INPUT" || !(isShut || CHOICES.test(field.type))) return;
    const ctrl = event.ctrlKey || event.metaKey, name = ctrl ? KEYS[event.key] : event.key;
    if (!name || (!ctrl && !/^(PageUp|PageDown|Home)$/.test(name))) return;
    const button = document.querySelector(`kbd[aria-label="Shortcut ${name}"]`)?.closest("button");
    if (!button || button.disabled) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    button.click();
  };
  const mind = { asks: false, showsTop: false };
  const leave = (event) => { if (mind.asks) event.preventDefault(); };
  document.addEventListener("keydown", press, true);
  window.addEventListener("beforeunload", leave);
  mind.end = () => { document.removeEventListener("keydown", press, true); window.removeEventListener("beforeunload", leave); };
  return mind;
}
