/** The rows in which a comparison is shown: JSON text, line by line, with a sign for each. */

import { print } from "../json_text.js";
import { aligned } from "./alignment.js";

/** Of a text that is the same on both sides, so many characters are shown beside what differs. */
const AROUND = 60;

/** Unchanged rows in a run that is longer are folded, but for these at each of its ends. */
const LONGEST_RUN = 8;
const KEPT = 3;

/**
 * All rows of what `compared` (comparison.js) found: `{sign, depth, name, texts}`, where `sign` is " ", "-" or
 * "+", `name` the member's name as JSON or "", and `texts` pieces of JSON, of which every second
 * one is what differs within the row.
 */
export function rowsOf(part) {
  const rows = [];
  addPart(rows, part, 0, "", "");
  return rows;
}

function addPart(rows, part, depth, name, comma) {
  if (part.kind === "same" || part.kind === "added") {
    addWhole(rows, part.kind === "same" ? " " : "+", part.after, depth, name, comma);
  } else if (part.kind === "removed") {
    addWhole(rows, "-", part.before, depth, name, comma);
  } else if (part.kind === "changed") {
    addChanged(rows, part, depth, name, comma);
  } else {
    const [open, close] = part.kind === "members" ? "{}" : "[]";
    rows.push({ sign: " ", depth, name, texts: [open] });
    part.parts.forEach((inner, at) => {
      const innerName = part.kind === "members" ? JSON.stringify(inner.name) : "";
      addPart(rows, inner.part, depth + 1, innerName, at < part.parts.length - 1 ? "," : "");
    });
    rows.push({ sign: " ", depth, name: "", texts: [close + comma] });
  }
}

function addWhole(rows, sign, value, depth, name, comma) {
  if (value === undefined) return;
  const isObject = value instanceof Map;
  const size = isObject ? value.size : Array.isArray(value) ? value.length : 0;
  if (!size) {
    rows.push({ sign, depth, name, texts: [print(value) + comma] });
    return;
  }
  const [open, close] = isObject ? "{}" : "[]";
  rows.push({ sign, depth, name, texts: [open] });
  let at = 0;
  for (const each of isObject ? value : value.values()) {
    at += 1;
    const [innerName, inner] = isObject ? [JSON.stringify(each[0]), each[1]] : ["", each];
    addWhole(rows, sign, inner, depth + 1, innerName, at < size ? "," : "");
  }
  rows.push({ sign, depth, name: "", texts: [close + comma] });
}

function addChanged(rows, { before, after }, depth, name, comma) {
  const areTexts = typeof before === "string" && typeof after === "string";
  if (areTexts && (before.includes("\n") || after.includes("\n"))) {
    addLines(rows, before, after, depth, name, comma);
  } else if (areTexts) {
    const [old, now] = marked(print(before), print(after), comma);
    rows.push({ sign: "-", depth, name, texts: old });
    rows.push({ sign: "+", depth, name, texts: now });
  } else {
    addWhole(rows, "-", before, depth, name, comma);
    addWhole(rows, "+", after, depth, name, comma);
  }
}

/** Two texts of several lines: a row for each, broken where JSON has `\n`. */
function addLines(rows, before, after, depth, name, comma) {
  const [old, now] = [linesOf(before), linesOf(after)];
  rows.push({ sign: " ", depth, name, texts: [""] });
  const line = (sign, texts) => rows.push({ sign, depth: depth + 1, name: "", texts });
  const steps = aligned(old, now);
  for (const [at, step] of steps.entries()) {
    const end = at === steps.length - 1 ? comma : "";
    const [was, is] = [old[step.before], now[step.after]];
    if (was === is) line(" ", [is + end]);
    else if (is === undefined) line("-", [was + end]);
    else if (was === undefined) line("+", [is + end]);
    else marked(was, is, end).forEach((texts, side) => line("-+"[side], texts));
  }
}

function linesOf(text) {
  return print(text).split(/(?<=(?<!\\)(?:\\\\)*\\n)/);
}

/** Two unlike texts in three pieces each: what both begin with, what differs, how both end. */
function marked(old, now, comma) {
  const both = Math.min(old.length, now.length);
  let start = 0;
  while (start < both && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < both - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  start -= endsInPair(old, start);
  return [old, now].map((text) => [
    beginning(text.slice(0, start)),
    text.slice(start, text.length - end),
    ending(text.slice(text.length - end)) + comma,
  ]);
}

/** 1 where a cut would part what stands for one character: a surrogate pair or an escape. */
function endsInPair(text, at) {
  return at > 0 && /[\ud800-\udbff\\]/.test(text[at - 1]) ? 1 : 0;
}

function beginning(text) {
  return text.length > 2 * AROUND ? `… ${text.slice(-AROUND)}` : text;
}

function ending(text) {
  return text.length > 2 * AROUND ? `${text.slice(0, AROUND)} …` : text;
}

/**
 * Rows with long runs of unchanged ones folded: in their place stands `{folded: rows}`.
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
      shown.push(...run.slice(0, first), { folded: run.slice(first, -last) }, ...run.slice(-last));
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
