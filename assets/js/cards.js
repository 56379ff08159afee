// The cards of the story editor (story.js): a list of segments to write in, move, add and take away.
// props.words is the wording.

class StoryCards {
  /** typed: something has changed. left: so it has, and the field was left. */
  constructor({ typed, left }) {
    Object.assign(this, { typed, left, made: 0 });
    this.removed = []; // cards that can come back, the last one first
    this.list = make("ol", { class: "story-cards" });
    this.note = make("p", { class: "story-note", role: "status" });
    const click = () => this.insert(this.list.lastChild);
    this.add = make("button", { type: "button", class: "add", click }, props.words.add);
  }

  // What the editor asks.

  read() {
    return [...this.list.children].map(({ row, fields }) => ({
      ...row, prompt: fields.prompt.value, seconds: fields.seconds.value, seed: fields.seed.value,
    }));
  }

  show(cards) {
    while (this.list.children.length > cards.length) this.list.lastChild.remove();
    cards.forEach((card, index) => this.write(this.list.children[index] ?? this.list.appendChild(this.make()), card));
  }

  /** Cards that were typed keep what was typed; they learn on which lines of the text they now stand. */
  adopt(cards) {
    if (cards.length !== this.list.children.length) return;
    cards.forEach(({ line, lead }, index) => (this.list.children[index].row = { line, lead }));
  }

  /** number: of the card that is no good, if any is. */
  showProblem(number) {
    [...this.list.children].forEach((item, index) => {
      item.classList.toggle("bad", number === index);
      item.fields.prompt.setAttribute("aria-invalid", number === index);
    });
  }

  showTimes(segments) {
    [...this.list.children].forEach((item, index) => {
      const row = segments[index];
      say(item.times, row ? `${filmTime(row.start)} – ${filmTime(row.stop)}` : "");
    });
  }

  /** What the film will show of each card, and words that the model has never seen. */
  tell(shows, hints) {
    [...this.list.children].forEach((item, index) => {
      say(item.shows, shows[index] ?? "");
      item.unseen = hints[index] ?? "";
      // Not while the prompt is typed, when half of a word is no word yet.
      if (!item.unseen || document.activeElement !== item.fields.prompt) say(item.hint, item.unseen);
    });
  }

  forgetRemoved() {
    this.removed = [];
    this.offerBack();
  }

  // What a person does.

  /** Enter goes on to a new card, as in any list; a prompt is one line. */
  key(event, item) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.insert(item);
    } else if (event.key === "Backspace" && !item.fields.prompt.value && this.list.children.length > 1) {
      event.preventDefault();
      const before = item.previousElementSibling;
      this.remove(item);
      before?.fields.prompt.focus();
    }
  }

  insert(after) {
    const item = this.make();
    this.write(item, { prompt: "", seconds: props.words.default_seconds, seed: "", line: "", lead: [] });
    after ? after.after(item) : this.list.append(item);
    item.fields.prompt.focus();
    this.typed();
  }

  move(item, step) {
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    const focused = document.activeElement;
    step < 0 ? other.before(item) : other.after(item);
    focused?.focus();
    this.typed();
  }

  remove(item) {
    const number = [...this.list.children].indexOf(item) + 1;
    const after = [...this.list.children].slice(number);
    const empty = !item.fields.prompt.value.trim();
    item.remove();
    this.typed();
    if (empty) return; // nothing to bring back; the offer for the card removed before stays
    this.removed.push({ item, number, after });
    this.offerBack();
  }

  /** Removed cards come back one by one, the one removed last first: then each finds its place again. */
  offerBack() {
    const { words } = props;
    const last = this.removed.at(-1);
    if (!last) return this.note.replaceChildren();
    const undo = make("button", { type: "button", click: () => this.bringBack() }, words.undo);
    this.note.replaceChildren(fill(words.removed, last), " ", undo);
  }

  bringBack() {
    const { item, after } = this.removed.pop();
    this.list.insertBefore(item, after.find((each) => each.isConnected) ?? null); // some may be gone by now
    this.offerBack();
    (this.note.querySelector("button") ?? item.fields.prompt).focus();
    this.typed();
  }

  // One card.

  make() {
    const { words } = props;
    const typed = { input: () => this.typed(), change: () => this.left() };
    const action = (name, sign, click) =>
      make("button", { type: "button", "aria-label": words[name], title: words[name], click }, sign);
    const shows = make("p", { class: "card-shows", id: `card-shows-${++this.made}` });
    const fields = {
      prompt: make("textarea", {
        class: "prompt", rows: 1, placeholder: words.prompt_hint, "aria-label": words.prompt, "aria-describedby": shows.id, ...typed,
      }),
      seconds: make("input", { class: "seconds", inputmode: "decimal", "aria-label": words.seconds_name, ...typed }),
      seed: make("input", {
        class: "seed", inputmode: "numeric", placeholder: words.seed_hint, "aria-label": words.seed_name, ...typed,
      }),
    };
    fields.prompt.addEventListener("blur", () => say(item.hint, item.unseen));
    const times = make("span", { class: "times", title: words.times });
    const hint = make("p", { class: "card-hint", role: "status" });
    const item = make("li", {},
      make("div", { class: "card-main" }, times, fields.prompt),
      shows,
      hint,
      make("div", { class: "card-side" },
        make("label", {}, fields.seconds, make("span", {}, words.seconds)),
        make("label", {}, make("span", {}, words.seed), fields.seed),
        make("span", { class: "card-actions" },
          action("up", "↑", () => this.move(item, -1)), action("down", "↓", () => this.move(item, 1)),
          action("insert", "+", () => this.insert(item)), action("remove", "×", () => this.remove(item)))));
    fields.prompt.addEventListener("keydown", (event) => this.key(event, item));
    return Object.assign(item, { fields, times, shows, hint, unseen: "", row: { line: "", lead: [] } });
  }

  write(item, { prompt, seconds, seed, line, lead }) {
    item.row = { line, lead };
    for (const [key, text] of Object.entries({ prompt, seconds, seed })) {
      if (item.fields[key].value !== text) item.fields[key].value = text;
    }
  }
}
