// The timeline: a block a segment, as wide as it is long, with what stands of it. app/handlers/timeline.py says
// what props.value holds. A click goes to that time in the player that is shown.

class Timeline {
  constructor() {
    this.list = make("ol", { "aria-label": props.words.timeline });
    element.querySelector(".film-timeline").append(this.list);
    watch("value", () => this.show(props.value));
    if (props.value) this.show(props.value);
  }

  show({ segments }) {
    while (this.list.children.length > segments.length) this.list.lastChild.remove();
    segments.forEach((segment, index) => {
      const item = this.list.children[index] ?? this.list.appendChild(this.block());
      this.write(item, segment, index);
    });
  }

  block() {
    const picture = make("img", { alt: "", hidden: true });
    const time = make("span", { class: "time" });
    const button = make("button", { type: "button" }, picture, time);
    return Object.assign(make("li", {}, button), { picture, time, button });
  }

  write(item, { start, stop, prompt, state, thumb }, index) {
    const name = `${index + 1}. ${filmTime(start)} – ${filmTime(stop)}: ${prompt}`;
    item.dataset.state = state;
    item.style.setProperty("--seconds", stop - start);
    item.button.title = name;
    item.button.setAttribute("aria-label", `${name} (${props.words[state]})`);
    item.button.onclick = () => seek(start);
    say(item.time, filmTime(start));
    item.picture.hidden = !thumb;
    if (thumb && item.picture.src !== thumb) item.picture.src = thumb;
  }
}

/** Puts the playhead of the visible player at a time. */
function seek(time) {
  const video = [...document.querySelectorAll(".film-player video")].find((each) => each.offsetParent);
  if (video && video.seekable.length) video.currentTime = Math.min(time + 0.001, video.duration || time);
}

new Timeline();
