/**
 * The bodies of a page of items as the texts that they are: exact, and without reading all of them,
 * which may be megabytes.
 */

import { visible } from "../parts/visible.js";

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;
const MEMBER = '"item"';
const DEPTH = 3; // the page, its list, an entry
const HALF_AT_END = /[\uD800-\uDBFF]$/;

/** The text of each entry's `item`, which is its last member, in their order. `page` is JSON. */
export function bodyTexts(page) {
  const texts = [];
  let depth = 0;
  let start = null;
  for (const { 0: token, index } of page.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      depth += 1;
    } else if (token === "}" || token === "]") {
      depth -= 1;
      if (start === null || depth !== DEPTH - 1) continue;
      texts.push(page.slice(start, index));
      start = null;
    } else if (depth === DEPTH && token === MEMBER && page[index + MEMBER.length] === ":") {
      start ??= index + MEMBER.length + 1;
    }
  }
  return texts;
}

/** The beginning of a JSON text, on one line. What turns the direction of text is escaped in it. */
export function preview(text, most = 200) {
  const isLong = text.length > most;
  return visible(isLong ? `${text.slice(0, most).replace(HALF_AT_END, "")}…` : text);
}
