// Half of the film player (the other half is player.js): one MediaSource on a <video>. Clips are put on its
// timeline and taken off it. Each method that returns a promise must be awaited before the next is called.

/** A clip that is no H.264 MP4, or that the browser refused. */
class DamagedClip extends Error {}

class FilmSource {
  /** MediaSource, or the one of iPhones, or undefined where films cannot be streamed. */
  static kind() {
    return window.MediaSource ?? window.ManagedMediaSource;
  }

  constructor(video) {
    this.media = new (FilmSource.kind())();
    this.buffer = null; // made with the first clip, which names its codec; "sourceopen" may come again
    this.closing = new AbortController();
    this.url = URL.createObjectURL(this.media);
    this.opened = this.until(this.media, ["sourceopen"]);
    this.opened.catch(() => {}); // closed before it was open: nobody needs to hear of it
    video.disableRemotePlayback = true; // without it ManagedMediaSource never opens
    video.src = this.url;
  }

  get closed() {
    return this.closing.signal.aborted;
  }

  /** Loads a clip. Rejects with an AbortError when this source is closed meanwhile. */
  async fetch(url) {
    const response = await fetch(url, { signal: this.closing.signal });
    if (!response.ok) throw new Error(`${response.status} for ${url}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Puts a clip, whose own time starts at 0, at `start` seconds. Throws DamagedClip, QuotaExceededError. */
  async append(bytes, start) {
    const codec = codecOf(bytes);
    if (!this.buffer) {
      this.buffer = this.media.addSourceBuffer(`video/mp4; codecs="${codec}"`);
      this.buffer.mode = "segments";
    }
    await this.operate(() => {
      this.buffer.timestampOffset = onGrid(start);
      this.buffer.appendBuffer(bytes);
    });
    if (this.media.readyState === "open") this.buffer.abort(); // forgets the half box of a clip cut short
  }

  /** Takes everything off [start, end) seconds; clips before and after stay whole. */
  async remove(start, end) {
    // A hair before the first frame and half a frame before the last one's end: rounding must not reach the
    // neighbours. The browser itself goes on to the next key frame, which is the next clip's first.
    await this.operate(() => this.buffer.remove(Math.max(0, start - 0.001), end - 0.02));
  }

  /** Makes the timeline `total` seconds long, or as long as what lies on it. */
  resize(total) {
    const length = Math.max(total, this.end());
    if (this.media.readyState === "open" && length > 0 && this.media.duration !== length) {
      this.media.duration = length;
    }
  }

  /** Says that nothing follows; a later append opens the timeline again. */
  finish() {
    if (this.media.readyState === "open" && this.buffer) this.media.endOfStream();
  }

  /** How many seconds of [start, end) lie on the timeline. */
  covered(start, end) {
    const ranges = this.ranges();
    let seconds = 0;
    for (let i = 0; i < ranges.length; i++) {
      seconds += Math.max(0, Math.min(end, ranges.end(i)) - Math.max(start, ranges.start(i)));
    }
    return seconds;
  }

  end() {
    const ranges = this.ranges();
    return ranges.length ? ranges.end(ranges.length - 1) : 0;
  }

  ranges() {
    const alive = this.buffer && this.media.readyState !== "closed";
    return alive ? this.buffer.buffered : { length: 0 };
  }

  /** Stops what is under way; the video needs another source afterwards. */
  close() {
    this.closing.abort();
    URL.revokeObjectURL(this.url);
  }

  /** Starts an operation of the SourceBuffer and waits for its end. */
  async operate(start) {
    const ended = this.until(this.buffer, ["updateend", "error"]);
    ended.catch(() => {}); // when `start` throws, this one is left behind
    start();
    if ((await ended).type === "error") throw new DamagedClip();
  }

  /** The first of these events; rejects with an AbortError when this source is closed. */
  until(target, names) {
    return new Promise((resolve, reject) => {
      const heard = new AbortController();
      const settle = (event) => {
        heard.abort();
        event.type === "abort" ? reject(new DOMException("closed", "AbortError")) : resolve(event);
      };
      for (const name of names) target.addEventListener(name, settle, { signal: heard.signal });
      this.closing.signal.addEventListener("abort", settle, { signal: heard.signal });
    });
  }
}

/** The codec string of an H.264 clip, as its avcC box gives profile, constraints and level. */
function codecOf(bytes) {
  const end = Math.min(bytes.length - 8, 4096); // the moov box comes first
  for (let i = 0; i < end; i++) {
    if (bytes[i] === 0x61 && bytes[i + 1] === 0x76 && bytes[i + 2] === 0x63 && bytes[i + 3] === 0x43) {
      const numbers = [...bytes.slice(i + 5, i + 8)];
      return "avc1." + numbers.map((each) => each.toString(16).padStart(2, "0")).join("");
    }
  }
  throw new DamagedClip();
}

/**
 * Seconds on the browser's grid of microseconds, always rounded down. Frame times inside a clip are rounded
 * down as well, so a clip never ends after the next one's start: that would cost the next one its key frame.
 */
function onGrid(seconds) {
  return (Math.floor(seconds * 1e6 + 0.01) + 0.25) / 1e6;
}
