// Keys that work anywhere on the page: Ctrl+Enter, or Cmd+Enter, renders. Heard before any field hears it.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat) document.getElementById("render")?.click();
}, true);
