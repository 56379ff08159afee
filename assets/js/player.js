// The film player: shows a film while it is rendered. Runs inside gr.HTML with `element`, `props` and `watch`.
// props.value is the whole truth at any time (app/components/player.py says what is in it); props.words is the
// wording. FilmSource is in player_source.js.

const NEAR = 30; // seconds ahead of the playhead that are loaded again after the browser ran out of space
const TRIES = 3; // of loading a clip
const SHORT = 0.4; // seconds before a hole where the playhead may stop: decoders keep back what they may yet reorder

/** What makes a clip on the timeline the one that is wanted. */
const keyOf = (segment) => `${segment.version} ${segment.start} ${segment.duration}`;
const endOf = (segment) => segment.start + segment.duration;
const holds = (segment, time) => segment.start <= time && time < endOf(segment);

/** A URL of the server as the browser sees it: gradio may be served below a path. */
function reachable(url) {
  const root = window.gradio_config?.root;
  const below = root ? new URL(root, location.href).pathname.replace(/\/$/, "") : "";
  return url.startsWith("/") ? below + url : url;
}

/** Plays a file from `time` seconds on. */
function playFile(video, url, time, play) {
  video.src = reachable(url) + (time ? `#t=${time}` : "");
  if (play) video.play().catch(() => {});
}

/** Seconds of the film for a second of its clips: where joins lay one over the other, it is shorter than they are. */
const pace = ({ edited, total, segments }) => (edited ? total / endOf(segments.at(-1)) : 1);

/**
 * The film on a MediaSource timeline: clips in any order, each replaced alone when its version changes. A finished
 * film that is more than its clips, by joins, captions or sound, is played from its file instead.
 */
class StreamedFilm {
  constructor(video, complain) {
    this.video = video;
    this.complain = complain;
    this.value = { segments: [], total: 0, done: false, film: null, edited: false };
    this.faults = new Map(); // key of a clip, or URL of a film -> which of the words says what is wrong with it
    this.started = false; // playing has begun once; from then on it is the viewer's choice
    this.playing = false; // what the viewer wants; an error pauses the video without saying so
    this.busy = this.again = false;
    for (const name of ["timeupdate", "seeking", "waiting"]) video.addEventListener(name, () => this.pump());
    video.addEventListener("play", () => (this.playing = true));
    video.addEventListener("pause", () => (this.playing = false));
    video.addEventListener("error", () => this.recover());
    this.attach();
  }

  /** A new, empty timeline; the playhead goes to `time` as soon as there is something to stand on. */
  attach(time = 0, play = false) {
    this.source?.close();
    this.finished = null; // URL of the finished film while that is played
    this.playing = play;
    this.held = new Map(); // index -> {segment, covered}: what lies on the timeline
    this.evicted = new Set(); // indices that made room for others
    this.loaded = null; // the clip loaded last, kept while there is no room for it
    this.source = new FilmSource(this.video);
    const once = { once: true, signal: this.source.closing.signal };
    if (time > 0) this.video.addEventListener("loadedmetadata", () => (this.video.currentTime = time), once);
    if (play) this.video.play().catch(() => {});
  }

  update(value) {
    if (this.faults.has(value.film)) value = { ...value, edited: false }; // then its clips are better than nothing
    const before = this.value;
    const had = new Set(before.segments.map(keyOf));
    const kept = value.segments.some((segment) => had.has(keyOf(segment)));
    const another = had.size > 0 && !kept; // that one is seen from its beginning
    const film = value.edited ? value.film : null;
    this.value = value;
    if (another) this.started = false;
    if (another || film !== this.finished) {
      const time = kept ? (this.video.currentTime / pace(before)) * pace(value) : 0;
      const play = kept && this.playing;
      film ? this.finish(film, time, play) : this.attach(time, play);
    }
    this.report();
    this.pump();
  }

  /** The finished film in place of the timeline. */
  finish(film, time, play) {
    this.source.close();
    this.finished = film;
    this.started = true;
    this.playing = play;
    playFile(this.video, film, time, play);
  }

  /** Says the first thing that is wrong, or nothing. */
  report() {
    const faulty = this.value.segments.find((segment) => this.faults.has(keyOf(segment)));
    this.complain(faulty && this.faults.get(keyOf(faulty)), faulty);
  }

  /** Brings the timeline nearer to what is wanted until nothing is left to do; one at a time. */
  async pump() {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    while (this.again) {
      this.again = false;
      try {
        while (await this.step());
      } catch (error) {
        if (error.name !== "AbortError") throw error;
        this.again = !this.source.closed; // the old timeline was given up for a new one
      } finally {
        this.busy = this.again;
      }
    }
  }

  /** One operation; false when nothing is left to do for now. */
  async step() {
    if (this.finished || !this.video.isConnected) return this.source.close();
    const source = this.source;
    await source.opened;
    this.noticeEvictions();
    const moved = [...this.held.values()].find(({ segment }) => !this.successor(segment));
    if (moved) return this.takeOff(moved.segment);
    source.resize(this.value.total);
    this.skipFault();
    const next = this.next();
    if (next) return this.put(next);
    const last = this.value.segments.findLast((segment) => !this.faults.has(keyOf(segment)));
    if (this.value.done && last && this.held.has(last.index)) source.finish();
    return false;
  }

  /** The wanted segment in the same place as `segment`: itself, or the one that replaces it. */
  successor({ index, start, duration }) {
    const same = (each) => each.index === index && each.start === start && each.duration === duration;
    return this.value.segments.find(same);
  }

  /** The missing segment that will be needed first. */
  next() {
    const missing = this.value.segments.filter((segment) => {
      const held = this.held.get(segment.index);
      if ((held && keyOf(held.segment) === keyOf(segment)) || this.faults.has(keyOf(segment))) return false;
      return !this.evicted.has(segment.index) || this.neededAgain(segment);
    });
    return missing.sort((a, b) => this.distance(a) - this.distance(b))[0];
  }

  /** Whether one that made room is about to be played. */
  neededAgain(segment) {
    const time = this.video.currentTime;
    return endOf(segment) > time && segment.start < time + NEAR;
  }

  /** How far a segment is from being played; what was played counts as three times as far. */
  distance(segment) {
    const time = this.video.currentTime;
    return Math.max(0, segment.start - time, 3 * (time - endOf(segment)));
  }

  async put(segment) {
    const source = this.source;
    const bytes = await this.load(segment);
    if (!bytes || !this.value.segments.some((each) => keyOf(each) === keyOf(segment))) return true;
    const replaced = this.held.get(segment.index);
    if (replaced) await this.takeOff(replaced.segment);
    const time = this.video.currentTime;
    this.appending = segment;
    try {
      await source.append(bytes, segment.start);
    } catch (error) {
      if (error.name === "QuotaExceededError") return this.makeRoom(segment);
      if (error.name === "NotSupportedError") return this.fault(segment, "unsupported");
      if (error instanceof DamagedClip) return this.blame(segment);
      throw error;
    } finally {
      this.appending = null;
    }
    this.loaded = null;
    this.evicted.delete(segment.index);
    const covered = source.covered(segment.start, endOf(segment));
    this.held.set(segment.index, { segment, covered });
    if (covered < 0.9 * segment.duration) this.fault(segment, "damaged"); // cut short: what is there plays
    this.show(segment, replaced, time);
    return true;
  }

  /**
   * Playing begins with the first clip of a film that is being made; a picture under the playhead is renewed, also
   * where its old clip went earlier. time: the playhead before the clip came. Where it waited for the clip, it goes
   * on from there: WebKit with GStreamer counts on while it waits, and would leave out as much of the clip.
   */
  show(segment, replaced, time) {
    const video = this.video;
    if (!replaced && !video.paused && holds(segment, time + SHORT)) video.currentTime = time;
    if (!holds(segment, video.currentTime)) return;
    if (replaced || (this.started && video.paused)) video.currentTime = video.currentTime;
    const seen = video.offsetParent !== null; // not behind another tab of the page
    if (this.started || !seen) return;
    this.started = true;
    if (!this.value.done) video.play().catch(() => {});
  }

  /** The bytes of a clip, or null when it cannot be loaded. */
  async load(segment) {
    const key = keyOf(segment);
    if (this.loaded?.key === key) return this.loaded.bytes;
    for (let attempt = 1; ; attempt++) {
      try {
        this.loaded = { key, bytes: await this.source.fetch(reachable(segment.url)) };
        return this.loaded.bytes;
      } catch (error) {
        if (error.name === "AbortError") throw error;
        if (attempt === TRIES) {
          this.fault(segment, "unreachable");
          return null;
        }
        await new Promise((resolve) => setTimeout(resolve, 300 * attempt));
      }
    }
  }

  async takeOff(segment) {
    this.held.delete(segment.index);
    await this.source.remove(segment.start, endOf(segment));
    return true;
  }

  /** Takes off what will be needed last, if that is later than `segment`. */
  async makeRoom(segment) {
    const others = [...this.held.values()].map((held) => held.segment);
    const last = others.sort((a, b) => this.distance(b) - this.distance(a))[0];
    if (!last || this.distance(last) <= this.distance(segment)) return false; // when the playhead has moved on
    this.evicted.add(last.index);
    return this.takeOff(last);
  }

  /** Browsers take clips off by themselves when space runs out; what has been played does not matter. */
  noticeEvictions() {
    const time = this.video.currentTime;
    for (const [index, { segment, covered }] of this.held) {
      const end = endOf(segment);
      const begin = Math.min(end, Math.max(segment.start, time));
      const lost = end - begin - this.source.covered(begin, end);
      if (lost > segment.duration - covered + 0.1) {
        this.held.delete(index);
        this.evicted.add(index);
      }
    }
  }

  fault(segment, word) {
    this.faults.set(keyOf(segment), word);
    this.report();
    return true;
  }

  /** A clip broke the timeline: leave it out, and build the timeline again where it stood. */
  blame(segment) {
    this.fault(segment, "damaged");
    this.attach(this.video.currentTime, this.playing);
    return true;
  }

  /** The video element gave up: over the clip that is being put there, or over one it began to decode. */
  recover() {
    if (this.finished && this.video.error) {
      this.faults.set(this.finished, "damaged");
      return this.update(this.value);
    }
    if (this.source.closed || !this.video.error) return;
    const soon = this.video.currentTime + 0.4; // decoding runs a little ahead of the playhead
    const sound = this.value.segments.filter((segment) => !this.faults.has(keyOf(segment)));
    const segment = this.appending ?? sound.find((each) => holds(each, soon)) ?? sound.at(-1);
    if (segment) this.blame(segment);
    this.pump();
  }

  /** Goes on behind a hole that a damaged clip left, once something lies there. */
  skipFault() {
    const time = this.video.currentTime + SHORT;
    const { segments } = this.value;
    const faulty = segments.find((segment) => this.faults.has(keyOf(segment)) && holds(segment, time));
    const stuck = !this.video.paused && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!faulty || !stuck || this.source.covered(time - 0.01, time) > 0) return;
    const behind = segments.find(({ index, start }) => start > endOf(faulty) - 0.01 && this.held.has(index));
    if (behind) this.video.currentTime = behind.start;
  }
}

/** Without MediaSource: the finished film, and until it is there one clip after another. */
class PlainFilm {
  constructor(video) {
    this.video = video;
    this.url = null;
    video.addEventListener("ended", () => this.follow());
  }

  update(value) {
    this.value = value;
    this.follow();
  }

  /** Goes on to what comes next, unless that would tear the viewer away from what is playing. */
  follow() {
    const { film, segments } = this.value;
    const { video } = this;
    if (this.isForeign()) this.clear(); // another film: from its beginning
    const idle = !this.url || video.ended || (film && video.paused);
    if (!idle || (film && this.url === film)) return;
    const place = segments.findIndex((segment) => segment.url === this.url);
    const next = segments[place + 1];
    const url = film ?? next?.url;
    if (!url) return;
    const watched = place >= 0; // a clip, and the film goes on from there
    const time = film && watched ? (segments[place].start + video.currentTime) * pace(this.value) : 0;
    const play = !film || (watched && next && video.ended);
    this.url = url;
    playFile(video, url, time, play);
  }

  /** Whether what is in the player belongs to no part of the film that is wanted. */
  isForeign() {
    const { film, segments } = this.value;
    return this.url && this.url !== film && !segments.some((segment) => segment.url === this.url);
  }

  clear() {
    this.url = null;
    this.video.removeAttribute("src");
    this.video.load();
  }
}

const find = (selector) => element.querySelector(selector);
const say = (word, numbers) => props.words[word].replace(/\{(\w+)\}/g, (_, name) => numbers[name]);

function complain(word, segment) {
  const line = find(".film-message");
  line.hidden = !word;
  line.textContent = word ? say(word, { number: segment.index + 1 }) : "";
}

function update() {
  const value = props.value || { segments: [], total: 0, done: false, film: null, edited: false };
  const rendered = value.segments.reduce((sum, segment) => sum + segment.duration, 0);
  const total = String(Number(value.total.toFixed(1)));
  const word = !value.segments.length ? "empty" : value.film ? "complete" : "progress";
  find(".film-status").textContent = say(word, { rendered: rendered.toFixed(1), total });
  film.update(value);
}

const film = FilmSource.kind() ? new StreamedFilm(find("video"), complain) : new PlainFilm(find("video"));
watch("value", update);
update();
