/** Text in which nothing is unseen that would change how the rest of it is read. */

const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The same, and what takes no room at all. */
const UNSEEN = /([\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff])/;

/**
 * A JSON text in which the characters that turn the direction of what comes after them are written
 * as JSON escapes: it means the same, and can't look like something else.
 */
export function visible(json) {
  return json.replace(TURNING, (mark) => `\\u${digitsOf(mark)}`);
}

/** A text in pieces, of which every second is a character that can't be seen, as `U+202E`. */
export function withUnseen(text) {
  return text.split(UNSEEN).map((piece, at) => (at % 2 ? `U+${digitsOf(piece).toUpperCase()}` : piece));
}

function digitsOf(character) {
  return character.charCodeAt(0).toString(16).padStart(4, "0");
}
