// Small helpers that the page's components share; put before each of their scripts (app/assets.py).

/** An element with attributes (functions become listeners, true an empty attribute) and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Words with {placeholders} filled in. */
function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** Sets text only where it differs, so that a selection in it survives. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Seconds in a film: 64.25 -> "1:04.3". */
function filmTime(seconds) {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(((tenths % 600) / 10).toFixed(1)).padStart(4, "0")}`;
}

/** A URL of the server as the browser sees it: gradio may be served below a path. */
function served(url) {
  const root = window.gradio_config?.root;
  const below = root ? new URL(root, location.href).pathname.replace(/\/$/, "") : "";
  return url.startsWith("/") ? below + url : url;
}
