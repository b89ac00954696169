/** Where in a JSON text a value stands, so that it can be shown there. */

import { pointerTo } from "../json_pointer.js";

const TOKEN = /("[^"\\]*(?:\\.[^"\\]*)*")|([{}[\],])|[^\s{}[\],":]+/g;

/**
 * The `start` and `end` of what a JSON Pointer names in a JSON text; of a value that has parts
 * only its first character. Null where nothing is there: what is missing has no place.
 */
export function placeIn(text, pointer) {
  const open = [{ pointer: "", isObject: false, next: null }]; // what stands around the token
  for (const match of text.matchAll(TOKEN)) {
    const around = open.at(-1);
    if (around === undefined) return null; // more is closed than was opened: no JSON any more
    const [token, string, mark] = match;
    const end = match.index + token.length;
    if (mark === "}" || mark === "]") open.pop();
    else if (mark === ",") around.next = around.isObject ? null : around.next + 1;
    else if (string !== undefined && around.isObject && around.next === null) {
      around.next = nameIn(string);
    } else {
      const inner = pointerIn(around);
      if (inner === pointer) return { start: match.index, end };
      if (mark === "{") open.push({ pointer: inner, isObject: true, next: null });
      if (mark === "[") open.push({ pointer: inner, isObject: false, next: 0 });
    }
  }
  return null;
}

/** A member's name. Where it is no JSON any more, since it was typed at, as it stands. */
function nameIn(string) {
  try {
    return JSON.parse(string);
  } catch {
    return string.slice(1, -1);
  }
}

function pointerIn({ pointer, next }) {
  return next === null ? pointer : pointer + pointerTo(next);
}
