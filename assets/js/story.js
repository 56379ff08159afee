// The story editor: the same story as cards and as plain text. app/handlers/editing.py says what props.value holds.
// What is being typed always wins: an answer of the server that is older than the last key is dropped, and an
// answer never writes into the view that was typed in. Meanwhile the other view is held: it does not show yet what
// was typed, and an edit there would undo it. props.words is the wording, props.examples the stories to begin with.
// The browser keeps the stories (shelf.js): the one on the page with every answer, and once more when it is left.

const QUIET = 150; // milliseconds after a key before the server hears of it
const SOON = 100, LATE = 60000; // milliseconds before a story is asked for once more, and before nobody waits for it

class StoryEditor {
  constructor() {
    this.rev = 0;
    this.asked = 0; // the number of the story that was asked for last; another one when it came or is not wanted
    this.value = null;
    this.shelf = new Shelf();
    this.cards = new StoryCards({ typed: () => this.typed("cards"), left: () => this.send() });
    this.removal = new StoryRemoval(this.shelf, {
      shown: () => this.value, ask: (...stories) => this.ask(...stories), complain: (problem) => this.complain(problem),
    });
    this.build();
    watch("value", () => this.receive());
    this.open(props.value);
    addEventListener("storage", (event) => {
      this.shelf.noticed(event);
      this.showChoices();
    });
    trigger("started", this.shelf.last() ?? {});
  }

  build() {
    const { words } = props;
    const root = element.querySelector(".story-editor");
    const typed = { input: () => this.typed("cards"), change: () => this.send() };
    this.stories = make("select", { id: "story-choice", change: () => this.choose() });
    this.file = make("input", { type: "file", accept: ".txt,.json", hidden: true, change: () => this.upload() });
    this.title = make("textarea", { class: "story-title", rows: 1, placeholder: words.title, "aria-label": words.title, ...typed });
    this.title.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    this.style = make("input", { placeholder: words.style_hint, ...typed });
    this.seed = make("input", { inputmode: "numeric", placeholder: "0", ...typed });
    this.problem = make("p", { class: "story-problem", role: "status" });
    this.unkept = make("p", { class: "story-unkept", role: "alert" });
    this.text = make("textarea", {
      id: "story-text", spellcheck: "true", "aria-label": words.text, rows: 16,
      input: () => this.typed("text"), change: () => this.send(),
    });
    this.summary = make("p", { class: "story-summary" });
    this.tabs = ["cards", "text"].map((view) =>
      make("button", { type: "button", role: "tab", id: `tab-${view}`, click: () => this.turn(view) }, words[view]));
    this.panes = {
      cards: make("div", { role: "tabpanel", "aria-labelledby": "tab-cards" }, this.cards.list, this.cards.add),
      text: make("div", { role: "tabpanel", "aria-labelledby": "tab-text" }, this.text),
    };
    const action = (text, click) => make("button", { type: "button", click }, text);
    root.append(
      make("div", { class: "story-shelf" },
        make("label", { for: "story-choice" }, words.open), this.stories,
        action(words.import, () => this.file.click()), this.file,
        action(words.save_txt, () => this.save("txt")), action(words.save_json, () => this.save("json")),
        this.removal.button),
      this.removal.note,
      this.title,
      make("div", { class: "story-head" },
        make("label", { class: "style" }, make("span", {}, words.style), this.style),
        make("label", { class: "seed" }, make("span", {}, words.seed), this.seed)),
      make("div", { class: "story-bar" }, make("div", { role: "tablist" }, ...this.tabs), this.summary),
      this.unkept, this.problem, this.cards.note, this.panes.cards, this.panes.text);
    this.turn("cards");
    this.fitToWidth(root);
  }

  /** Shows the cards or the text. */
  turn(view) {
    this.view = view;
    for (const tab of this.tabs) tab.setAttribute("aria-selected", tab.id === `tab-${view}`);
    for (const [name, pane] of Object.entries(this.panes)) pane.hidden = name !== view;
    if (this.value) this.complain(this.value.problem);
    this.fit();
  }

  // From the page to the server.

  /** Something was typed: it is the value from now on, and the server hears of it when the keys rest. */
  typed(from) {
    this.rev += 1;
    this.asked += 1; // who writes on wants no other story
    const at = Math.max(Date.now(), this.value.at + 1); // later than before, whatever the clock does
    const now = { ...this.value, rev: this.rev, from, at };
    if (from === "text") now.text = this.text.value;
    else now.sheet = this.readSheet();
    this.keep(now);
    const { project, text, sheet } = now; // cards as they are, since only the server makes them text
    this.shelf.keepDraft({ project, at, from, text, sheet });
    this.hold({ cards: from === "text", text: from === "cards" });
    this.fit();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), QUIET);
  }

  send() {
    clearTimeout(this.timer);
    if (this.rev !== this.sent) trigger("typed", { rev: this.rev });
    this.sent = this.rev;
  }

  keep(value) {
    this.value = value;
    props.value = value;
  }

  /** Types again what the server never heard of in the story that was opened. */
  takeDraft() {
    const draft = this.shelf.draft(this.value.project);
    if (!draft || draft.at <= this.value.at) return;
    this.turn(draft.from);
    this.value = { ...this.value, sheet: draft.sheet };
    if (draft.from === "text") this.text.value = draft.text;
    else this.showSheet(draft.sheet);
    this.typed(draft.from);
  }

  readSheet() {
    const { title, style, seed } = this;
    return { ...this.value.sheet, title: title.value, style: style.value, seed: seed.value, cards: this.cards.read() };
  }

  choose() {
    const chosen = this.stories.value;
    this.ask({ ...this.shelf.stories().find((story) => story.chosen === chosen), chosen });
    this.stories.value = this.value.chosen; // it changes when the story is there
  }

  /** Asks the server for a story. leaving: the project of one that goes when it comes. */
  ask(story, leaving = null) {
    this.removal.leaving = leaving;
    this.insist({ ...story, asked: ++this.asked }, SOON);
  }

  /** Asks until it comes: gradio drops an event while it works on one of its kind, also after its answer is shown. */
  insist(story, wait) {
    if (story.asked !== this.asked || wait > LATE) return;
    trigger("opened", story);
    setTimeout(() => this.insist(story, 2 * wait), wait);
  }

  upload() {
    const [file] = this.file.files;
    if (!file) return;
    const reader = new FileReader();
    reader.onload = async () => {
      const data = reader.result.split(",")[1] ?? "";
      const { text, problem } = await server.read_file({ file: file.name, data });
      if (problem) return this.complain({ message: problem });
      this.ask(this.shelf.stories().find((story) => story.text === text) ?? { text });
    };
    reader.readAsDataURL(file);
    this.file.value = "";
  }

  async save(form) {
    const { content, name, problem } = await server.exported({ value: this.value, form });
    if (problem) return this.complain({ message: problem });
    const url = URL.createObjectURL(new Blob([content], { type: "text/plain;charset=utf-8" }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // From the server to the page.

  receive() {
    const value = props.value;
    if (value.asked === this.asked) this.asked += 1;
    if (value.from === "studio") return this.open(value);
    // Late: another story was opened, and the one before was kept as it was left; or keys were typed since.
    if (value.project !== this.value.project) return this.keep(this.value);
    this.shelve(value);
    if (value.rev < this.rev) return this.keep(this.value);
    this.value = value;
    if (value.from === "cards") {
      this.text.value = value.text;
      this.cards.adopt(value.sheet.cards);
    } else if (!value.problem) {
      this.showSheet(value.sheet);
    }
    this.showRest(value);
  }

  /** Another story. What was typed into the one before since the server was asked, waits there as its draft. */
  open(value) {
    clearTimeout(this.timer);
    if (value.left) this.leave(value.left);
    this.rev = this.sent = value.rev;
    this.keep({ ...value, from: "text", at: value.at || Date.now(), left: null });
    this.text.value = value.text;
    this.cards.forgetRemoved();
    this.showSheet(value.sheet);
    if (value.rev > 0) {
      this.shelve(this.value);
      this.shelf.setLast(value.project);
    }
    this.showRest(this.value);
    if (value.problem) this.turn("text");
    this.fit();
    if (value.rev > 0) this.takeDraft();
  }

  leave(story) {
    say(this.unkept, this.shelf.keepLeft(story) ? "" : props.words.unkept);
    this.removal.left(story.project);
  }

  shelve(story) {
    say(this.unkept, this.shelf.keep(story) ? "" : props.words.unkept);
  }

  showRest(value) {
    this.showChoices();
    this.showPlan(value.plan);
    if (value.shows) this.cards.tell(value.shows, value.hints); // else cards keep what was told of them
    this.complain(value.problem);
    const locked = value.problem !== null && value.from === "text";
    const early = value.rev === 0; // the browser's own story is on its way, and would take the place of what is typed
    this.hold({ cards: locked || early, text: early });
    this.stories.disabled = early;
    this.panes.cards.classList.toggle("locked", locked);
  }

  /** Which of the views cannot be typed in. */
  hold({ cards, text }) {
    for (const part of [this.cards.list, this.cards.add, this.title, this.style, this.seed]) part.inert = cards;
    this.text.readOnly = text;
  }

  /** The list of stories, where it has changed: an open list closes when it is written. */
  showChoices() {
    const { words, examples } = props;
    const mine = this.shelf.mine();
    this.removal.show(this.value);
    const groups = [
      [words.mine, mine.map(({ chosen, title }) => [chosen, title || words.untitled])],
      [words.examples, examples.map(({ id, title }) => [`example:${id}`, title])],
    ];
    const state = JSON.stringify([groups, this.value.chosen]);
    if (state === this.choicesShown) return;
    this.choicesShown = state;
    const option = ([value, title]) => make("option", { value }, title);
    const full = groups.filter(([, options]) => options.length);
    this.stories.replaceChildren(
      ...full.map(([label, options]) => make("optgroup", { label }, ...options.map(option))),
      option(["new", words.new_story]));
    this.stories.value = this.value.chosen;
  }

  showSheet(sheet) {
    for (const key of ["title", "style", "seed"]) this[key].value = sheet[key];
    this.cards.show(sheet.cards);
    this.fit();
  }

  complain(problem) {
    const { words } = props;
    say(this.problem, problem ? problem.message : "");
    if (problem?.line && (this.view === "text" || problem.card === null)) {
      const go = fill(words.go_to_line, { line: problem.line });
      this.problem.append(" ", make("button", { type: "button", click: () => this.goTo(problem.line) }, go));
    }
    this.cards.showProblem(problem?.card);
    this.text.setAttribute("aria-invalid", Boolean(problem));
  }

  goTo(line) {
    this.turn("text");
    const lines = this.text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  }

  showPlan(plan) {
    const { words } = props;
    const values = plan && { ...plan, seconds: plan.seconds.toFixed(1) };
    say(this.summary, !plan ? "" : fill(plan.frames === null ? words.summary_short : words.summary, values));
    this.cards.showTimes(plan?.segments ?? []);
  }

  /** Prompts are as tall as their text, also where CSS cannot say so yet. */
  fit() {
    if (this.fits ??= CSS.supports("field-sizing", "content")) return;
    for (const area of [this.title, ...this.cards.list.querySelectorAll(".prompt"), this.text]) {
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + 2}px`;
    }
  }

  /** In another width lines break elsewhere. Not at another height: that of the text is also the writer's choice. */
  fitToWidth(root) {
    let width = 0;
    new ResizeObserver(() => {
      if (root.clientWidth !== width) requestAnimationFrame(() => this.fit()); // outside, or browsers see a loop
      width = root.clientWidth;
    }).observe(root);
  }
}

new StoryEditor();
