/**
 * The events that are in memory: a run of them without a gap, and no more than a bound.
 *
 * It grows at both ends. Where it would become too long, it loses at the other one.
 */

import { compare } from "./positions.js";

/** Events in memory at most. */
export const MOST = 100_000;

/** So many more are let in before any go, since taking some out takes as long as taking out many. */
const LUMP = 2000;

/** Summaries of events, by place: 0 is the newest. */
export class Run {
  #oldestFirst = [];

  /** How many events were ever put before the newest, less those that went there. */
  grownAtTop = 0;

  get length() {
    return this.#oldestFirst.length;
  }

  /** The event at a place, undefined where there is none. */
  at(place) {
    return this.#oldestFirst[this.length - 1 - place];
  }

  /** The place of the event at a position, -1 where it is not there. */
  placeOf(position) {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = compare(this.#oldestFirst[middle].id, position);
      if (order === 0) return this.length - 1 - middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Puts newer events before all others. Gives whether old ones went. */
  addNewer(oldestFirst) {
    for (const event of oldestFirst) this.#oldestFirst.push(event);
    this.grownAtTop += oldestFirst.length;
    if (this.length <= MOST + LUMP) return false;
    this.#oldestFirst = this.#oldestFirst.slice(-MOST);
    return true;
  }

  /** Puts older events after all others. Gives whether new ones went. */
  addOlder(oldestFirst) {
    this.#oldestFirst = oldestFirst.concat(this.#oldestFirst);
    if (this.length <= MOST + LUMP) return false;
    this.grownAtTop -= this.length - MOST;
    this.#oldestFirst = this.#oldestFirst.slice(0, MOST);
    return true;
  }
}
