/** The rows in which a comparison is shown: JSON text, line by line, with a sign for each. */

import { pointerTo } from "../json_pointer.js";
import { print } from "../json_text.js";
import { aligned } from "./alignment.js";
import { visible } from "../parts/visible.js";

/** Of a text that is the same on both sides, so many characters are shown beside what differs. */
const AROUND = 60;

/** Unchanged rows in a run that is longer are folded, but for these at each of its ends. */
const LONGEST_RUN = 8;
const KEPT = 3;

/**
 * All rows of what `compared` (comparison.js) found: `{sign, depth, name, texts, comma, within}`.
 *
 * `sign` is " ", "-" or "+", `name` the member's name as JSON or "". `texts` are pieces of JSON, of
 * which every second one is what differs within the row. `within` is the JSON pointer of what the
 * row is a part of.
 */
export function rowsOf(part) {
  const rows = [];
  addPart(rows, part, { depth: 0, name: "", comma: "", within: "" });
  return rows;
}

function add(rows, sign, place, texts) {
  rows.push({ sign, ...place, texts });
}

/** The place of what is inside of a place, under a name, or an index where it is no member. */
function inside(place, name, isMember, pointer, isLast) {
  return {
    depth: place.depth + 1,
    name: isMember ? visible(JSON.stringify(name)) : "",
    comma: isLast ? "" : ",",
    within: pointer,
  };
}

/** The row that closes what the one at `place` opened. */
function closing(place) {
  return { ...place, name: "" };
}

function opening(place) {
  return { ...place, comma: "" };
}

function addPart(rows, part, place, key = null) {
  if (part.kind === "same" || part.kind === "added") {
    addWhole(rows, part.kind === "same" ? " " : "+", part.after, place, key);
  } else if (part.kind === "removed") {
    addWhole(rows, "-", part.before, place, key);
  } else if (part.kind === "changed") {
    addChanged(rows, part, place, key);
  } else {
    const isObject = part.kind === "members";
    const pointer = pointerOf(place, key);
    add(rows, " ", opening(place), [isObject ? "{" : "["]);
    part.parts.forEach((inner, at) => {
      const isLast = at === part.parts.length - 1;
      addPart(rows, inner.part, inside(place, inner.name, isObject, pointer, isLast), inner.name);
    });
    add(rows, " ", closing(place), [isObject ? "}" : "]"]);
  }
}

function pointerOf(place, key) {
  return key === null ? "" : place.within + pointerTo(key);
}

function addWhole(rows, sign, value, place, key) {
  if (value === undefined) return;
  const isObject = value instanceof Map;
  const size = isObject ? value.size : Array.isArray(value) ? value.length : 0;
  if (!size) return add(rows, sign, place, [visible(print(value))]);
  const pointer = pointerOf(place, key);
  add(rows, sign, opening(place), [isObject ? "{" : "["]);
  let left = size;
  for (const [name, each] of value.entries()) {
    left -= 1;
    addWhole(rows, sign, each, inside(place, name, isObject, pointer, left === 0), name);
  }
  add(rows, sign, closing(place), [isObject ? "}" : "]"]);
}

function addChanged(rows, { before, after }, place, key) {
  const areTexts = typeof before === "string" && typeof after === "string";
  if (areTexts && (before.includes("\n") || after.includes("\n"))) {
    addLines(rows, before, after, place);
  } else if (areTexts) {
    const [old, now] = marked(visible(print(before)), visible(print(after)));
    add(rows, "-", place, old);
    add(rows, "+", place, now);
  } else {
    addWhole(rows, "-", before, place, key);
    addWhole(rows, "+", after, place, key);
  }
}

/** Two texts of several lines: a row for each, broken where JSON has `\n`. */
function addLines(rows, before, after, place) {
  const [old, now] = [linesOf(before), linesOf(after)];
  add(rows, " ", opening(place), [""]);
  const steps = aligned(old, now);
  for (const [at, step] of steps.entries()) {
    const comma = at === steps.length - 1 ? place.comma : "";
    const line = { ...place, depth: place.depth + 1, name: "", comma };
    const [was, is] = [old[step.before], now[step.after]];
    if (was === is) add(rows, " ", line, [is]);
    else if (is === undefined) add(rows, "-", line, [was]);
    else if (was === undefined) add(rows, "+", line, [is]);
    else marked(was, is).forEach((texts, side) => add(rows, "-+"[side], line, texts));
  }
}

function linesOf(text) {
  return visible(print(text)).split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
}

/** Two unlike texts in three pieces each: what both begin with, what differs, how both end. */
function marked(old, now) {
  const both = Math.min(old.length, now.length);
  let start = 0;
  while (start < both && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < both - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  if (/[\ud800-\udbff\\]/.test(old[start - 1] ?? "")) start -= 1; // half a character, or an escape
  if (/[\udc00-\udfff]/.test(old[old.length - end] ?? "")) end -= 1;
  return [old, now].map((text) => [
    beginning(text.slice(0, start)),
    text.slice(start, text.length - end),
    ending(text.slice(text.length - end)),
  ]);
}

function beginning(text) {
  return text.length > 2 * AROUND ? `… ${text.slice(-AROUND)}` : text;
}

function ending(text) {
  return text.length > 2 * AROUND ? `${text.slice(0, AROUND)} …` : text;
}

/**
 * Rows with long runs of unchanged ones folded: in their place stands `{folded: rows, within}`,
 * where `within` is the pointer of what the next row is a part of.
 *
 * Nothing is folded where nothing differs.
 */
export function folded(rows) {
  const shown = [];
  let run = [];
  const close = (isLast) => {
    const first = shown.length ? KEPT : 1;
    const last = isLast ? 1 : KEPT;
    if (run.length > LONGEST_RUN) {
      const hidden = run.slice(first, -last);
      const within = isLast ? "" : run.at(-last).within;
      shown.push(...run.slice(0, first), { folded: hidden, within }, ...run.slice(-last));
    } else {
      shown.push(...run);
    }
    run = [];
  };
  if (rows.every((row) => row.sign === " ")) return rows;
  for (const row of rows) {
    if (row.sign === " ") {
      run.push(row);
    } else {
      close(false);
      shown.push(row);
    }
  }
  close(true);
  return shown;
}
