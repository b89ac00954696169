/**
 * Who looks: the token, which is kept for this tab alone, and what it may be used for.
 *
 * `/docs` reads it from the same place.
 */

import { useEffect, useState } from "./html.js";

const KEY = "itemstore-token";
const CHANGED = "accesschanged";
const RANKS = ["reader", "writer", "admin"];

let access = null;

/** The token, or null. */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** Keeps a token for this tab; null forgets it. What it may be used for is asked for again. */
export function setToken(text) {
  if (text === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, text);
  setAccess(null);
}

/** What `GET /` says of it: `access`, `links`, `collections`; null where it is not known. */
export function setAccess(found) {
  access = found;
  dispatchEvent(new Event(CHANGED));
}

/** What `GET /` said, now and whenever it changes. */
export function useAccess() {
  const [found, setFound] = useState(access);
  useEffect(() => {
    const look = () => setFound(access);
    addEventListener(CHANGED, look);
    look();
    return () => removeEventListener(CHANGED, look);
  }, []);
  return found;
}

/** Whether who looks may do what wants this role. Only that is offered. */
export function may(role) {
  return RANKS.indexOf(access?.access?.role) >= RANKS.indexOf(role);
}
