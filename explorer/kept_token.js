/** The token of who looks: kept for this tab alone. The explorer and `/docs` share it. */

const KEY = "itemstore-token";
const NOT_SENDABLE = /[^\x21-\x7e]/;

/** The token, or null. */
export function keptToken() {
  return sessionStorage.getItem(KEY);
}

/** Keeps a token; null forgets it. */
export function keepToken(text) {
  if (text === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, text);
}

/** The token in what was pasted: with blanks and line breaks, or as a whole header field. */
export function tokenIn(text) {
  return text.replace(/^\s*(Authorization:)?\s*Bearer\s/i, "").replace(/\s+/g, "");
}

/** Why a text can't be a token; null where it can. */
export function whyNoToken(text) {
  if (!text) return "Paste the token that you were given.";
  return NOT_SENDABLE.test(text) ? "There is a character in it that no token has." : null;
}
