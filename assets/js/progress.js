// The progress display: props.value as app/handlers/page.py makes it, once a second while something runs.
// Clock times are made here, since only the browser knows where its person is. props.words is the wording.

class ProgressDisplay {
  constructor() {
    this.headline = make("p", { class: "headline", role: "status" });
    this.detail = make("p", { class: "detail" });
    this.times = make("p", { class: "times" });
    this.percent = make("span", { class: "percent" });
    this.bar = make("progress", { max: 100, value: 0, "aria-label": props.words.progress });
    this.picture = make("img", { alt: props.words.preview, hidden: true });
    this.notes = make("ul", { class: "notes" });
    element.querySelector(".progress-display").append(
      make("div", { class: "lines" }, this.headline, this.percent), this.bar,
      this.detail, this.times, this.picture, this.notes);
    watch("value", () => this.show(props.value));
    if (props.value) this.show(props.value);
  }

  show(value) {
    const active = value.state === "running" || value.state === "waiting";
    element.querySelector(".progress-display").dataset.state = value.state;
    say(this.headline, value.headline);
    say(this.detail, value.detail);
    say(this.percent, value.state === "running" ? `${Math.floor(value.percent)} %` : "");
    this.bar.value = value.percent;
    this.bar.hidden = value.state === "idle" || value.state === "done";
    say(this.times, this.timesOf(value, active));
    this.picture.hidden = !value.preview;
    if (value.preview && this.picture.src !== value.preview) this.picture.src = value.preview;
    this.notes.replaceChildren(...(value.notes ?? []).map((note) => make("li", {}, note)));
  }

  timesOf({ elapsed, remaining, others }, active) {
    const { words } = props;
    const parts = [];
    if (active && elapsed !== null && elapsed !== undefined) parts.push(fill(words.elapsed, { time: lasting(elapsed) }));
    if (typeof remaining === "number") {
      const ready = new Date(Date.now() + remaining * 1000);
      const clock = ready.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      parts.push(remaining < 1 ? words.soon : fill(words.remaining, { time: lasting(remaining), clock }));
    }
    if (others > 0) parts.push(fill(words.others, { count: others }));
    return parts.join(" · ");
  }
}

/** Seconds of work: 74.2 -> "1:14 min", 9.9 -> "10 s". */
function lasting(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)} h` : `${minutes}:${two(whole % 60)} min`;
}

new ProgressDisplay();
