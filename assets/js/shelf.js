// The stories that this browser keeps, each under a key of its own: a save touches one story, so tabs never write over
// each other's, and of one story the newest edit stays. app/handlers/session.py says what a story is.
// A draft is what was typed into a story and the server has not answered yet: gradio drops what a lost connection held
// up, and loads the page again when the server is back. It waits for its own story to be opened again.

const STORY = "arlon-story-", DRAFT = "arlon-draft-", LAST = "arlon-last";

class Shelf {
  constructor() {
    this.unkept = new Map(); // what the browser has no room for, until the tab is closed
  }

  /** All stories, the newest first. */
  stories() {
    const keys = stored(() => Object.keys(localStorage)) ?? [];
    const ids = keys.filter((key) => key.startsWith(STORY)).map((key) => key.slice(STORY.length));
    const all = [...new Set([...ids, ...this.unkept.keys()])].map((project) => this.story(project));
    return all.filter((story) => story?.chosen).sort((one, other) => other.at - one.at);
  }

  story(project) {
    return this.unkept.get(project) ?? read(STORY + project);
  }

  /** Keeps a story, and drops its draft, which it has caught up with. False where the browser has no room for it. */
  keep({ project, at, text, title, chosen, steps, guidance, chunk }) {
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
