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

  /** The event that made a version; `{version, isGone: true}` where the log has it no more. */
  async event(version, signal) {
    const heads = await this.headsAround(version, signal);
    if (!this.get(version)) await this.readDownFrom(version, heads, signal);
    return this.get(version) ?? { version, isGone: true };
  }

  /** The event of a version as far as it was read. */
  get(version) {
    return version === this.count ? this.newest : this.known.get(version);
  }

  /** What is known of the window around a version, newest first: heads, with `event` where read. */
  rows(version) {
    const number = windowOf(version);
    const listed = new Map((this.heads.get(number) ?? []).map((head) => [head.version, head]));
    const rows = [];
    for (let each = Math.min(this.count, (number + 1) * WINDOW); windowOf(each) === number; each -= 1) {
      const head = listed.get(each) ?? { version: each, isGone: true };
      rows.push({ ...head, event: this.get(each) });
    }
    return rows;
  }

  /** What a version was made from: undefined where that is not read; null for the first one. */
  eventBefore(version) {
    return version === 1 ? null : this.get(version - 1);
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

  /** The heads of a window, oldest first; those that the log has. */
  async headsAround(version, signal) {
    const number = windowOf(version);
    if (!this.heads.has(number)) {
      const query = { after: number * WINDOW, limit: WINDOW };
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
    const downFrom = (head, limit) => this.read({ after: this.startOf(head), limit }, signal);
    if (most > WINDOW && heads.length) await downFrom(heads.at(-1), WINDOW + 1);
    const head = heads.find((each) => each.version === version);
    if (head && !this.get(version)) await downFrom(head, Math.max(2, Math.min(most, WINDOW)));
  }

  /** Where to read backwards from, to get an event; the newest is there, and nothing after it. */
  startOf({ version, position }) {
    return version === this.count ? position : justAfter(position);
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

function windowOf(version) {
  return Math.floor((version - 1) / WINDOW);
}

/** The position after one: reading on from there backwards, its event is the first. */
function justAfter(position) {
  return position.replace(/-(\d+)/, (_, sequence) => `-${BigInt(sequence) + 1n}`);
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
