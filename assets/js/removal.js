// Taking the chosen story off the shelf (shelf.js), and the offer to bring it back. props.words is the wording.
// A story that is worked on stays: nobody would see its work any more, nor cancel it. The server knows, so it is asked.
// The story goes when another one has come in its place: where no answer comes, nothing is lost.

class StoryRemoval {
  /** shown: gives the story on the page. ask: asks the server for another one, and which goes then. complain: says why not. */
  constructor(shelf, { shown, ask, complain }) {
    Object.assign(this, { shelf, shown, ask, complain });
    this.leaving = null; // the project that goes when another story has come
    this.button = make("button", { type: "button", class: "remove", click: () => this.begin() }, props.words.remove);
    this.note = make("p", { class: "story-note", role: "status" });
    this.offerBack();
  }

  /** Only what is on the shelf can go: an untouched example is nobody's. */
  show({ project, chosen, title }) {
    const own = chosen.startsWith("mine:") && this.shelf.story(project);
    this.button.disabled = !own;
    this.button.setAttribute("aria-label", fill(props.words.remove_story, named(title)));
  }

  async begin() {
    const { project } = this.shown();
    const { problem } = await server.removable({ project });
    if (this.shown().project !== project) return; // another one was opened meanwhile
    if (problem) return this.complain({ message: problem });
    this.ask(this.next(project), project);
  }

  /** The story that comes in its place: its neighbour in the list, else what a stranger finds. */
  next(project) {
    const mine = this.shelf.mine();
    const index = mine.findIndex((story) => story.project === project);
    const [example] = props.examples;
    return mine[index + 1] ?? mine[index - 1] ?? { chosen: example ? `example:${example.id}` : "new" };
  }

  /** Another story has come in the place of one that was kept as it was left. */
  left(project) {
    const goes = this.leaving === project && this.shelf.take(project);
    this.leaving = null;
    if (!goes) return;
    const focused = document.activeElement === this.button; // which may be of no use now
    this.offerBack();
    if (focused) this.note.querySelector("button").focus();
  }

  /** One by one, the one that was removed last first. */
  offerBack() {
    const { words } = props;
    const last = this.shelf.bin.at(-1);
    if (!last) return this.note.replaceChildren();
    const title = named(last.story.title);
    const attributes = { type: "button", "aria-label": fill(words.bring_back, title), click: () => this.bringBack() };
    this.note.replaceChildren(fill(words.story_removed, title), " ", make("button", attributes, words.undo));
  }

  bringBack() {
    this.ask(this.shelf.bringBack());
    this.offerBack();
    (this.note.querySelector("button") ?? element.querySelector("#story-choice")).focus();
  }
}

function named(title) {
  return { title: title || props.words.untitled };
}
