/**
 * The log as the view shows it: a run of events in memory, which grows by what comes, by what is
 * older, and, where it does not reach the log's end, by what is newer. It has no gap anywhere.
 */

import { followEvents } from "../events_stream.js";
import { endOfLog, pageFrom, WayBack } from "./pages.js";
import { compare, millisecondsOf, positionBefore, rfc3339, withoutPartition } from "./positions.js";
import { Run } from "./run.js";
import { summaryOf } from "./summaries.js";

/** Events that wait at most, where people paused; what comes after them waits in the store. */
export const MOST_WAITING = 10_000;

/** What is on its way, for one of the ends. */
const STILL = { isLoading: false, error: null };

export class FollowedLog {
  run = new Run();
  older = STILL;
  newer = STILL;

  /** How the stream is: see followEvents. `off` where the run does not reach the end. */
  stream = { state: "off" };
  isPaused = false;
  waiting = [];

  /** The time down to which was looked for older events, where none was found yet. */
  lookedBackTo = null;

  /** Events that came live, ever. */
  arrived = 0;

  #abort = new AbortController();
  #following = null;
  #log = null;
  #newest = null;
  #since = null;
  #wayBack = null;

  /**
   * `filters` are `source`, `type`, `item` of `/events`; `since` the time to begin at, in
   * milliseconds, null for the end. `onChange` is called after each change.
   */
  constructor({ filters, since = null, isBoundToPrefixes = false, onChange }) {
    Object.assign(this, { filters, isBoundToPrefixes, onChange });
    this.#since = since;
  }

  get isAtStart() {
    return this.#wayBack?.isAtStart ?? false;
  }

  /** Why the log has nothing older, where that is not its begin. */
  get reasonOfStart() {
    return this.#wayBack?.reason ?? null;
  }

  /** Whether the newest event in memory is the log's newest, or a stream brings those after it. */
  get isAtEnd() {
    return this.stream.state !== "off" || this.isFull;
  }

  /** Whether so many events wait that no more are taken until people go on. */
  get isFull() {
    return this.waiting.length >= MOST_WAITING;
  }

  /** Loads the first events there are to see, and follows the log where they reach its end. */
  async begin() {
    if (this.#since !== null) {
      this.#wayBack = this.#back(`${this.#since}-0`, this.#since);
      return this.loadNewer();
    }
    await this.#load("older", async (signal) => {
      const { isBoundToPrefixes } = this;
      const end = await endOfLog({ isBoundToPrefixes, signal });
      const wayBack = this.#back(null, end.time);
      const found = await wayBack.older({ signal, onStep: (time) => this.#stepped(time) });
      this.#wayBack = wayBack;
      this.#take(found);
      this.#newest = wayBack.end ?? later(found.events.at(-1)?.id, end.position);
      this.#since = wayBack.time;
      this.#follow();
    });
  }

  stop() {
    this.#abort.abort();
    this.#following?.stop();
  }

  loadOlder() {
    if (this.#wayBack === null) return this.begin();
    if (this.isAtStart) return;
    return this.#load("older", async (signal) => {
      const onStep = (time) => this.#stepped(time);
      this.#take(await this.#wayBack.older({ log: this.#log, signal, onStep }));
    });
  }

  /** A page of what is newer; at the end of it the stream begins. */
  loadNewer() {
    if (this.isAtEnd || this.#wayBack === null) return;
    return this.#load("newer", async (signal) => {
      const begin = this.#newest === null ? { since: rfc3339(this.#since) } : { after: this.#newest };
      const page = await pageFrom(begin, { filters: this.filters, log: this.#log, signal });
      this.#log = page.log;
      this.#newest = page.end ?? page.events.at(-1)?.id ?? page.next ?? this.#newest;
      this.#addNewer(page.events);
      if (page.next === null) this.#follow();
    });
  }

  pause() {
    this.isPaused = true;
    this.onChange();
  }

  goOn() {
    const wasFull = this.isFull;
    this.isPaused = false;
    this.#addNewer(this.waiting);
    this.waiting = [];
    if (wasFull) this.#follow();
    this.onChange();
  }

  /** Tries at once to connect again. */
  tryNow() {
    this.#following?.tryNow();
  }

  #follow() {
    const since = this.#newest === null ? rfc3339(this.#since) : null;
    this.#following = followEvents({
      query: { ...this.filters, since },
      after: this.#newest,
      log: this.#log,
      onEvents: (events) => this.#came(events),
      onState: (state) => this.#changed({ stream: state }),
    });
  }

  #came(events) {
    this.#newest = events.at(-1).id;
    this.arrived += events.length;
    const summaries = events.map(({ data }) => summaryOf(data));
    if (!this.isPaused) this.#addNewer(summaries);
    else this.waiting.push(...summaries);
    if (this.isFull) this.#following.stop();
    this.onChange();
  }

  /** Old events that go make the way back longer again: it begins anew where they were. */
  #addNewer(events) {
    if (!this.run.addNewer(events)) return;
    const oldest = this.run.at(this.run.length - 1).id;
    this.#wayBack = this.#back(oldest, millisecondsOf(oldest));
  }

  /** New events that go end the stream: what is newer comes in pages then, when it is looked at. */
  #take({ events, log }) {
    this.#log = log;
    this.lookedBackTo = null;
    if (!this.run.addOlder(events)) return;
    this.#following?.stop();
    this.#newest = placeToGoOn(this.run.at(0).id);
    this.waiting = [];
    this.isPaused = false;
    this.stream = { state: "off" };
  }

  #back(before, time) {
    return new WayBack({ before, time, filters: this.filters });
  }

  #stepped(time) {
    this.#changed({ lookedBackTo: time });
  }

  /** Has one of the ends load, unless it does already. */
  async #load(end, work) {
    if (this[end].isLoading) return;
    const { signal } = this.#abort;
    this.#changed({ [end]: { isLoading: true, error: null } });
    try {
      await work(signal);
      if (!signal.aborted) this.#changed({ [end]: STILL });
    } catch (error) {
      if (!signal.aborted) this.#changed({ [end]: { isLoading: false, error } });
    }
  }

  #changed(members) {
    Object.assign(this, members);
    this.onChange();
  }
}

/**
 * What to read on after, to get all that comes after an event. In several partitions some of that
 * may be at the same place: the run knows what it has.
 */
function placeToGoOn(id) {
  return id === withoutPartition(id) ? id : positionBefore(id);
}

/** The later one of two positions, either of which may not be known. */
function later(one = null, other = null) {
  if (one === null || other === null) return one ?? other;
  return compare(one, other) < 0 ? other : one;
}
