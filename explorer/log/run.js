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

  /**
   * Puts newer events before all others. Gives whether old ones went. One of another partition may
   * come late: it goes to its place among those that are there, unless it is there.
   */
  addNewer(oldestFirst) {
    for (const event of oldestFirst) this.#put(event);
    if (this.length <= MOST + LUMP) return false;
    this.#oldestFirst = this.#oldestFirst.slice(-MOST);
    return true;
  }

  #put(event) {
    let after = this.length;
    let order = -1;
    while (after > 0 && (order = compare(this.#oldestFirst[after - 1].id, event.id)) > 0) after -= 1;
    if (after > 0 && order === 0) return;
    if (after === this.length) this.#oldestFirst.push(event);
    else this.#oldestFirst.splice(after, 0, event);
    this.grownAtTop += 1;
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
