/** Two lossless JSON values (see json_text.js) compared part by part, in about linear time. */

import { pointerTo } from "../json_pointer.js";
import { Numeral, print } from "../json_text.js";
import { aligned } from "./alignment.js";

/** What was found, for as long as both values are there: they are not changed meanwhile. */
const KEPT = new WeakMap();

/**
 * What differs, part by part: `{kind, before, after}`, where `kind` is
 *
 * - `same`, `added` (no `before`), `removed` (no `after`), or `changed`: as a whole;
 * - `members` or `elements`: something inside differs, and `parts` has all that is inside, in
 *   order: `{name, part}`, where `name` is the member's name or the element's index in `after`, or
 *   in `before` of one that was removed.
 *
 * `undefined` stands for no value at all.
 */
export function compared(before, after) {
  const isLarge = typeof before === "object" && typeof after === "object" && before && after;
  if (!isLarge) return new Comparison().part(before, after);
  if (!KEPT.has(before)) KEPT.set(before, new WeakMap());
  const found = KEPT.get(before);
  if (!found.has(after)) found.set(after, new Comparison().part(before, after));
  return found.get(after);
}

/**
 * The differences as a flat list: `{pointer, kind: "added"|"removed"|"changed", before, after}`.
 *
 * `pointer` is a JSON pointer (RFC 6901) into `after`; into `before` for what was removed.
 */
export function differences(before, after) {
  return listed(compared(before, after));
}

/** The differences in what `compared` found, as a flat list. */
export function listed(part, pointer = "", found = []) {
  if (part.parts) {
    for (const { name, part: inner } of part.parts) {
      if (inner.kind !== "same") listed(inner, pointer + pointerTo(name), found);
    }
  } else if (part.kind !== "same") {
    found.push({ pointer, kind: part.kind, before: part.before, after: part.after });
  }
  return found;
}

/** Whether two values that do not differ have their members in another order. */
export function isReordered(before, after) {
  return before !== undefined && after !== undefined && print(before) !== print(after);
}

function whole(kind, before, after, parts) {
  const isSame = parts.every(({ part }) => part.kind === "same");
  return isSame ? { kind: "same", before, after } : { kind, before, after, parts };
}

class Comparison {
  constructor() {
    this.byContent = new Map();
    this.byIdentity = new Map();
  }

  part(before, after) {
    if (before === undefined) return { kind: after === undefined ? "same" : "added", after };
    if (after === undefined) return { kind: "removed", before };
    if (before instanceof Map && after instanceof Map) {
      return whole("members", before, after, this.members(before, after));
    }
    if (Array.isArray(before) && Array.isArray(after)) {
      return whole("elements", before, after, this.elements(before, after));
    }
    const kind = this.key(before) === this.key(after) ? "same" : "changed";
    return { kind, before, after };
  }

  /** Members in their order now; one that was removed where it stood. */
  members(before, after) {
    const parts = [];
    const old = [...before.keys()];
    let at = 0;
    const addRemoved = (until) => {
      for (; at < until; at += 1) {
        if (!after.has(old[at])) {
          parts.push({ name: old[at], part: this.part(before.get(old[at]), undefined) });
        }
      }
    };
    const places = new Map(old.map((name, place) => [name, place]));
    for (const [name, value] of after) {
      if (places.has(name)) addRemoved(places.get(name));
      parts.push({ name, part: this.part(before.get(name), value) });
    }
    addRemoved(old.length);
    return parts;
  }

  elements(before, after) {
    const keysOf = (list) => list.map((each) => this.key(each));
    return aligned(keysOf(before), keysOf(after)).map((step) => ({
      name: step.after ?? step.before,
      part: this.part(
        step.before === null ? undefined : before[step.before],
        step.after === null ? undefined : after[step.after],
      ),
    }));
  }

  /** What equal values have alike, and no others: 1, 1.0 and "1" differ, members have no order. */
  key(value) {
    if (value instanceof Numeral) return value.text;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const known = this.byIdentity.get(value);
    if (known !== undefined) return known;
    const content = Array.isArray(value)
      ? `[${value.map((each) => this.key(each)).join()}`
      : `{${[...value].map((member) => this.member(...member)).sort().join()}`;
    if (!this.byContent.has(content)) this.byContent.set(content, `#${this.byContent.size}`);
    const key = this.byContent.get(content);
    this.byIdentity.set(value, key);
    return key;
  }

  member(name, value) {
    return `${JSON.stringify(name)}:${this.key(value)}`;
  }
}
