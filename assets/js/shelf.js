// The stories that this browser keeps, each under a key of its own: a save touches one story, so tabs never write over
// each other's, and of one story the newest edit stays. app/handlers/session.py says what a story is.
// A draft is what was typed into a story and the server has not answered yet: gradio drops what a lost connection held
// up, and loads the page again when the server is back. It waits for its own story to be opened again.
// What a tab takes off the shelf waits in its bin, which reloads leave alone, until the tab is closed.

const STORY = "arlon-story-", DRAFT = "arlon-draft-", LAST = "arlon-last", BIN = "arlon-bin";

class Shelf {
  constructor() {
    this.unkept = new Map(); // what the browser has no room for, until the tab is closed
    this.taken = new Map(); // what other tabs took off, by project: when it had been edited last
    const bin = stored(() => JSON.parse(sessionStorage.getItem(BIN)));
    this.bin = Array.isArray(bin) ? bin : []; // stories and their drafts, the one that was taken last at the end
  }

  /** All stories, the newest first. */
  stories() {
    const keys = stored(() => Object.keys(localStorage)) ?? [];
    const ids = keys.filter((key) => key.startsWith(STORY)).map((key) => key.slice(STORY.length));
    const all = [...new Set([...ids, ...this.unkept.keys()])].map((project) => this.story(project));
    return all.filter((story) => story?.chosen).sort((one, other) => other.at - one.at);
  }

  /** Those that are a person's own. */
  mine() {
    return this.stories().filter(({ chosen }) => chosen.startsWith("mine:"));
  }

  story(project) {
    return this.unkept.get(project) ?? read(STORY + project);
  }

  /** Keeps a story, and drops its draft, which it has caught up with. False where the browser has no room for it. */
  keep({ project, at, text, title, chosen, steps, guidance, chunk }) {
    this.taken.delete(project);
    const before = this.story(project);
    const settings = { steps, guidance, chunk };
    const newer = { project, at, text, title: title || before?.title || "", chosen, ...settings };
    const story = before?.at > at ? { ...before, ...settings } : newer;
    const fits = write(STORY + project, story);
    if (!fits) this.unkept.set(project, story);
    else {
      this.unkept.delete(project);
      if (!(this.draft(project)?.at > story.at)) stored(() => localStorage.removeItem(DRAFT + project));
    }
    return fits;
  }

  /** Keeps a story that is left; where another tab took it off the shelf, only if it was edited since. */
  keepLeft(story) {
    return this.taken.get(story.project) >= story.at || this.keep(story);
  }

  /** Takes a story off. False where it was none of the shelf's. */
  take(project) {
    const story = this.story(project);
    if (!story) return false;
    this.bin.push({ story, draft: this.draft(project) });
    this.keepBin();
    this.unkept.delete(project);
    for (const kind of [STORY, DRAFT]) stored(() => localStorage.removeItem(kind + project));
    return true;
  }

  /** Puts back what was taken last; gives the story. */
  bringBack() {
    const { story, draft } = this.bin.pop();
    this.keepBin();
    this.keep(story);
    if (draft) this.keepDraft(draft);
    return story;
  }

  keepBin() {
    stored(() => sessionStorage.setItem(BIN, JSON.stringify(this.bin)));
  }

  /** Another tab wrote a story, or took one off. */
  noticed({ key, oldValue, newValue }) {
    if (!key?.startsWith(STORY)) return;
    const project = key.slice(STORY.length);
    if (newValue === null) this.taken.set(project, stored(() => JSON.parse(oldValue).at) ?? 0);
    else this.taken.delete(project);
  }

  draft(project) {
    return read(DRAFT + project);
  }

  keepDraft(draft) {
    write(DRAFT + draft.project, draft);
  }

  /** The story that this tab showed last, or else any tab of this browser. */
  last() {
    const project = stored(() => sessionStorage.getItem(LAST) ?? localStorage.getItem(LAST));
    return project ? this.story(project) : null;
  }

  setLast(project) {
    for (const storage of ["sessionStorage", "localStorage"]) stored(() => window[storage].setItem(LAST, project));
  }
}

function read(key) {
  return stored(() => JSON.parse(localStorage.getItem(key)));
}

function write(key, value) {
  return stored(() => localStorage.setItem(key, JSON.stringify(value)) ?? true) ?? false;
}

/** What the browser's storage gives, where it lets the page have one. */
function stored(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
