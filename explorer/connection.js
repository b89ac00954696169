/**
 * Whether the store is there: after a request failed it is asked again and again until it is.
 *
 * What could not be loaded meanwhile is loaded again then: see parts/loading.js.
 */

import { ROOT } from "./address.js";
import { useEffect, useState } from "./html.js";

const CHANGED = "connectionchanged";
const BACK = "storeback";
const BETWEEN_MS = 1500;

let away = null;
let isAsking = false;

/** Says that a request failed with this error for want of the store: Unreachable, or 503. */
export async function noteAway(error) {
  if (isAsking) return;
  isAsking = true;
  while (!(await isReady())) {
    setAway(error);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  isAsking = false;
  if (away !== null) {
    setAway(null);
    dispatchEvent(new Event(BACK));
  }
}

async function isReady() {
  try {
    return (await fetch(new URL("readyz", ROOT), { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function setAway(error) {
  if (away === error) return;
  away = error;
  dispatchEvent(new Event(CHANGED));
}

/** The error that says why the store is away, null while it is there. */
export function useAway() {
  const [found, setFound] = useState(away);
  useEffect(() => {
    const look = () => setFound(away);
    addEventListener(CHANGED, look);
    return () => removeEventListener(CHANGED, look);
  }, []);
  return found;
}

/** Calls `act` when the store is there again. */
export function useBack(act) {
  useEffect(() => {
    addEventListener(BACK, act);
    return () => removeEventListener(BACK, act);
  }, [act]);
}
