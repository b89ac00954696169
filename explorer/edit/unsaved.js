/** What was typed and not saved: kept while the page is open, and asked about before it is left. */

import { askBeforeLeaving } from "../address.js";
import { useEffect, useRef } from "../html.js";

const QUESTION = "What you changed is not saved. Leave all the same?";

const kept = new Map();

/** What was kept under a name, or undefined: where signing in anew came between, say. */
export function unsaved(name) {
  return kept.get(name);
}

/** Forgets what was kept under a name, and asks no more. */
export function forget(name) {
  kept.delete(name);
  askBeforeLeaving(null);
}

/** Keeps `state` under a name while `isChanged`, and asks before it is left. */
export function useUnsaved(name, state, isChanged) {
  const changed = useRef(false);
  changed.current = isChanged;
  useEffect(() => {
    if (isChanged) kept.set(name, state);
    else kept.delete(name);
  }, [name, state, isChanged]);
  useEffect(() => {
    const warn = (event) => changed.current && event.preventDefault();
    addEventListener("beforeunload", warn);
    askBeforeLeaving(() => {
      const leaves = !changed.current || confirm(QUESTION);
      if (leaves) kept.delete(name);
      return leaves;
    });
    return () => {
      removeEventListener("beforeunload", warn);
      askBeforeLeaving(null);
    };
  }, [name]);
}
