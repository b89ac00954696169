/** Text in which nothing is unseen that would change how the rest of it is read. */

const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A JSON text in which the characters that turn the direction of what comes after them are written
 * as JSON escapes: it means the same, and can't look like something else.
 */
export function visible(json) {
  return json.replace(TURNING, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
