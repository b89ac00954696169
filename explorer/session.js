/** Who looks: the token, and what it may be used for. */

import { useEffect, useState } from "./html.js";
import { keepToken, keptToken } from "./kept_token.js";

const CHANGED = "accesschanged";
const RANKS = ["reader", "writer", "admin"];

let access = null;

export { keptToken as token };

/** Keeps a token for this tab; null forgets it. What it may be used for is asked for again. */
export function setToken(text) {
  keepToken(text);
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
