/** The events of one item, read in windows around what is looked at, and kept. */

import { ask, itemPath } from "../http.js";

/** So many versions are listed, and read, together. */
export const WINDOW = 25;

/** About so many characters of events are read at once: of large bodies fewer events. */
const READ_AT_ONCE = 1_000_000;

/** So many characters of events are kept, those that were read last. */
const KEPT = 32_000_000;

/**
 * An item's life up to its newest version when `begin` was called.
 *
 * An event is `{version, type, time, position, actor, body, whole}`: `body` is undefined for an
 * ItemDeleted, `whole` the CloudEvent, both lossless (see json_text.js).
 */
export class History {
  constructor(collection, id) {
    Object.assign(this, { collection, id, count: 0, newest: null });
    this.heads = new Map(); // by the number of the window: {version, type, time, position}
    this.known = new Map(); // events by version, the one read last at the end
    this.lengths = new Map();
    this.length = 0;
    this.typicalLength = 0;
  }

  /** Looks for the newest version. Throws what `ask` does, Refused where there never was any. */
  async begin(signal) {
    [this.newest] = await this.read({ limit: 1 }, signal);
    this.count = this.newest.version;
    return this;
  }

  /** The event that made a version, and the versions of its window. Throws Gone. */
  async event(version, signal) {
    const heads = await this.headsAround(version, signal);
    if (!this.known.has(version)) await this.readDownFrom(version, heads, signal);
    const found = this.known.get(version);
    if (!found) throw new Gone(version);
    return found;
  }

  /** What is known of the window around a version, newest first: heads, with `event` where read. */
  rows(version) {
    const listed = this.heads.get(windowOf(version)) ?? [];
    return listed
      .filter((head) => windowOf(head.version) === windowOf(version) && head.version <= this.count)
      .map((head) => ({ ...head, event: this.known.get(head.version) }))
      .reverse();
  }

  /** What a version was made from: undefined where that is not read; null for the first one. */
  eventBefore(version) {
    return version === 1 ? null : this.known.get(version - 1);
  }

  /** Events after one of them, oldest first: what came in the meantime. */
  async since(event, signal) {
    const query = { after: event.position, limit: WINDOW };
    return this.asked(query, signal);
  }

  /** The versions in which the item was deleted, as far as one request finds them. */
  async deletions(signal) {
    const query = { source: `/${this.collection}`, item: this.id, type: "ItemDeleted", limit: 1000 };
    const answer = await ask("/events", { query, signal });
    const found = answer.plain.map((event) => event.itemversion);
    return found.filter((version) => version <= this.count);
  }

  /** The heads of a window, and the one after it. */
  async headsAround(version, signal) {
    const number = windowOf(version);
    if (!this.heads.has(number)) {
      const query = { after: number * WINDOW, limit: WINDOW + 1 };
      const answer = await ask(itemPath(this.collection, this.id, "versions"), { query, signal });
      this.heads.set(
        number,
        answer.plain.versions.map((each) => ({ ...each, position: each.event })),
      );
    }
    return this.heads.get(number);
  }

  /** Reads a whole window, or what there is room for, with the version as the first of it. */
  async readDownFrom(version, heads, signal) {
    const most = Math.floor(READ_AT_ONCE / (this.typicalLength || 1));
    const isWhole = most > WINDOW;
    const top = isWhole ? Math.min(this.count, (windowOf(version) + 1) * WINDOW) : version;
    const next = heads.find((head) => head.version === top + 1);
    const limit = isWhole ? WINDOW + 1 : Math.max(2, most);
    await this.read({ after: top < this.count ? next?.position : null, limit }, signal);
    if (isWhole && !this.known.has(version)) {
      const above = heads.find((head) => head.version === version + 1);
      await this.read({ after: above?.position, limit: 2 }, signal); // the page ended before
    }
  }

  async read(query, signal) {
    return this.asked({ order: "desc", ...query }, signal);
  }

  async asked(query, signal) {
    const answer = await ask(itemPath(this.collection, this.id, "events"), { query, signal });
    const events = answer.value.map(eventOf);
    this.typicalLength = answer.text.length / (events.length || 1);
    for (const event of events) this.keep(event, this.typicalLength);
    return events;
  }

  keep(event, length) {
    this.length += length - (this.lengths.get(event.version) ?? 0);
    this.known.delete(event.version);
    this.known.set(event.version, event);
    this.lengths.set(event.version, length);
    for (const [version] of this.known) {
      if (this.length <= KEPT || version === event.version) break;
      this.known.delete(version);
      this.length -= this.lengths.get(version);
      this.lengths.delete(version);
    }
  }
}

/** The log has the event of this version no more. */
export class Gone extends Error {
  constructor(version) {
    super(`Version ${version} was removed from the log by its operator.`);
  }
}

function windowOf(version) {
  return Math.floor((version - 1) / WINDOW);
}

function eventOf(whole) {
  return {
    version: Number(whole.get("itemversion")),
    type: whole.get("type"),
    time: whole.get("time"),
    position: whole.get("id"),
    actor: whole.get("actor"),
    body: whole.get("data"),
    whole,
  };
}
