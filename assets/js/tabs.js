// Film or animatic: shows one of the stage's players. props.value is {show, turn}; turn changes whenever the server
// wants `show` to be seen, and in between it is the viewer's choice. Both players stay in the page.

const tabs = Object.entries(props.words).map(([name, text]) =>
  make("button", { type: "button", role: "tab", id: `show-${name}`, "aria-controls": name, click: () => show(name) }, text));

function show(chosen) {
  for (const tab of tabs) tab.setAttribute("aria-selected", tab.id === `show-${chosen}`);
  for (const name of Object.keys(props.words)) {
    const pane = document.getElementById(name);
    pane?.toggleAttribute("data-unseen", name !== chosen); // a class would go when gradio sets the player's own
    if (name !== chosen) pane?.querySelector("video")?.pause();
  }
}

element.querySelector(".stage-tabs").append(make("div", { role: "tablist" }, ...tabs));
watch("value", () => show(props.value.show));
requestAnimationFrame(() => show(props.value.show)); // the players come after this in the page
