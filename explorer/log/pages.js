/** Old events, in pages: forward as the API has them, and backward. */

import { ask, Refused } from "../http.js";
import {
  compare, isPosition, millisecondsOf, placesUpTo, positionBefore, rfc3339, withoutPartition,
} from "./positions.js";
import { summaryOf, textsIn } from "./summaries.js";

const PAGE = 200;

/** Pages that a step back reads before it takes a shorter time. */
const MOST_PAGES = 3;

/** Events that a step back is meant to find. */
const WANTED = 150;

const FASTER = 8;

/** How much more time a step takes at most where there was nothing in the one before it. */
const FASTEST = 64;
const FIRST_WIDTH_MS = 10_000;

/**
 * The next page: `{events, next, log, end}`, summaries with the oldest first, and where to go on,
 * null at the end of the log. `end` is the cursor after it in a store of several partitions, else
 * null. `begin` is `{after}` a cursor or `{since}` a time as text.
 */
export async function pageFrom(begin, { filters, log, signal, limit = PAGE }) {
  const query = { ...filters, ...begin, log, limit };
  const answer = await ask("/events", { query, signal });
  return {
    events: textsIn(answer.text).map(summaryOf),
    next: nextOf(answer.field("Link")),
    log: answer.field("Log-Id"),
    end: answer.field("Position"),
  };
}

/** The position after which the next page begins: the `next` of a Link field (RFC 8288). */
function nextOf(link) {
  const target = /<([^>]*)>[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  return target === undefined ? null : new URLSearchParams(target.split("?")[1]).get("after");
}

/** The event at a position, with all its digits: a Map. */
export async function eventAt(position, signal) {
  if (!isPosition(position)) throw new NoEvent(position);
  const query = { after: positionBefore(position), limit: placesUpTo(position) };
  const answer = await ask("/events", { query, signal });
  const found = answer.value.find((event) => event.get("id") === position);
  if (found === undefined) throw new NoEvent(position);
  return found;
}

class NoEvent extends Error {
  title = "There is no such event";

  constructor(position) {
    super(`No event is at ${position}, or none that you may see.`);
  }
}

/**
 * About when the log ends, in milliseconds since 1970, and its last position, where it is told: who
 * is bound to prefixes may not know, and of several partitions there is none.
 */
export async function endOfLog({ isBoundToPrefixes, signal }) {
  if (!isBoundToPrefixes) {
    const { position } = (await ask("/projections", { signal })).plain.log;
    if (isPosition(position)) return { position, time: millisecondsOf(position) };
  }
  const now = (await ask("/", { signal })).field("Date"); // the server's clock, not this one's
  return { position: null, time: Date.parse(now) };
}

/**
 * Goes back through the log, which the API reads forward only: step by step it reads all of a time
 * right before what was read, and takes more or less time next by how much was in it. Each step
 * begins where the one before it ended, so that none leaves an event out or gives it twice.
 */
export class WayBack {
  /** No event at this position, or after it, is still to come; null at the end of the log. */
  #before;
  #time;
  #width = FIRST_WIDTH_MS;
  #faster = FASTER;

  /** From this time on there is too much for a step; null where that is not known of any time. */
  #tooMuchFrom = null;

  /** Whether it is not known if the next step finds anything: one event is asked for first. */
  #isUnsure = false;

  isAtStart = false;

  /** The cursor of the log's end as this read it, where pages say that; else null. */
  end = null;

  /** What was removed from the log there, in the store's words. */
  reason = null;

  constructor({ before = null, time, filters }) {
    this.#before = before;
    this.#time = time;
    this.filters = filters;
  }

  /** The time down to which all was read, in milliseconds. */
  get time() {
    return this.#time;
  }

  /** The next older events, the oldest first, and the log that they are of. None at the start only. */
  async older({ log, signal, onStep = () => {} }) {
    while (!this.isAtStart) {
      const window = this.#window();
      const found = await this.#read(window, { log, signal });
      this.#isUnsure = !found?.events.length;
      if (found === null) continue;
      this.#before = window.before;
      this.#time = window.time;
      this.isAtStart ||= window.time === 0;
      if (this.#tooMuchFrom !== null && this.#tooMuchFrom >= window.time) this.#tooMuchFrom = null;
      this.#width = Math.max(1, Math.round(window.width * this.#growth(found.events.length)));
      if (found.events.length) return found;
      onStep(this.#time);
    }
    return { events: [], log };
  }

  /** What to read next, from where on, and what is then still to come. */
  #window() {
    const before = withoutPartition(this.#before ?? `${this.#time}-0`);
    const [time, number] = before.split("-").map(Number);
    const limit = this.#tooMuchFrom ?? -1;
    if (this.#before === null && limit >= time) return windowFrom(limit, 1);
    if (number > PAGE && limit === time) return windowWithin(time, number - PAGE);
    const least = number > 0 || this.#before === null ? 0 : 1;
    const middle = limit < 0 ? 0 : Math.ceil((limit + time) / 2);
    const from = Math.max(0, Math.min(time - least, Math.max(time - this.#width, middle)));
    return windowFrom(from, time - from);
  }

  #growth(count) {
    if (count > 0) {
      this.#faster = FASTER;
      return Math.min(FASTER, Math.max(1 / FASTER, WANTED / count));
    }
    this.#faster = Math.min(FASTEST, 2 * this.#faster);
    return this.#faster;
  }

  /** All of a window up to what was read before; null where that is too much at a time. */
  async #read({ begin, time, width, isWithin }, { log, signal }) {
    const events = [];
    const isShort = isWithin || width <= 1;
    for (let pages = this.#isUnsure ? -1 : 0; pages < MOST_PAGES || isShort; pages += 1) {
      const page = await this.#page(begin, width, { log, signal, limit: pages < 0 ? 1 : PAGE });
      if (page === null) {
        this.#tooMuchFrom = time;
        return this.isAtStart ? { events, log } : null;
      }
      log = page.log;
      if (this.#before === null) this.end = page.end;
      for (const event of page.events) {
        if (this.#isRead(event.id)) return { events, log };
        events.push(event);
      }
      const { next } = page;
      if (next === null || (isPosition(next) && this.#isRead(next))) return { events, log };
      begin = { after: next };
    }
    const last = isPosition(begin.after) ? begin.after : events.at(-1)?.id;
    this.#tooMuchFrom = last === undefined ? time : millisecondsOf(last);
    return null;
  }

  #isRead(position) {
    return this.#before !== null && compare(position, this.#before) >= 0;
  }

  /** Null where events after that were removed: then a shorter time, or the log begins there. */
  async #page(begin, width, { log, signal, limit }) {
    try {
      return await pageFrom(begin, { filters: this.filters, log, signal, limit });
    } catch (error) {
      if (!(error instanceof Refused && error.kind === "gone")) throw error;
      this.isAtStart = width < 1000;
      this.reason = error.message;
      return null;
    }
  }
}

/** What begins at a time, in milliseconds. */
function windowFrom(time, width) {
  const begin = time > 0 ? { since: rfc3339(time) } : {};
  return { begin, before: `${time}-0`, time, width, isWithin: false };
}

/** What begins within a millisecond in which there are many events, at a number. */
function windowWithin(time, number) {
  const begin = { after: `${time}-${number - 1}` };
  return { begin, before: `${time}-${number}`, time, width: 0, isWithin: true };
}
