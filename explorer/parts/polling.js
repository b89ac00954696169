/** Asking the store again and again, for as long as somebody looks. */

import { html, useCallback, useEffect, useRef, useState } from "../html.js";
import { Unreachable } from "../http.js";
import { Failure } from "./failure.js";

/**
 * What `ask(signal)` gave last, asked for again so many seconds after each answer: `{value, error,
 * again}`. `error` is that of the last time, and `value` stays beside it. Nothing is asked while the
 * page is hidden. `again` asks at once; `inputs` that change begin anew.
 */
export function usePolled(ask, seconds, inputs = []) {
  const [found, setFound] = useState({ value: undefined, error: null });
  const [round, setRound] = useState(0);
  const newest = useRef();
  newest.current = { ask, seconds };

  useEffect(() => {
    const abort = new AbortController();
    let timer = null;
    const look = async () => {
      timer = null;
      try {
        const value = await newest.current.ask(abort.signal);
        if (!abort.signal.aborted) setFound({ value, error: null });
      } catch (error) {
        if (!abort.signal.aborted) setFound(({ value }) => ({ value, error }));
      }
      if (!abort.signal.aborted && !document.hidden) {
        timer = setTimeout(look, newest.current.seconds * 1000);
      }
    };
    const stop = () => {
      clearTimeout(timer);
      abort.abort();
    };
    const hide = () => (document.hidden ? stop() : setRound((before) => before + 1));
    if (!document.hidden) look();
    document.addEventListener("visibilitychange", hide);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      stop();
    };
  }, [...inputs, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...found, again };
}

/**
 * `children(value)` of what usePolled gave; above it, why the last answer is missing. That nothing
 * answers at all stands above every view already.
 */
export function Polled({ of, children }) {
  const isSaid = of.error instanceof Unreachable && of.value !== undefined;
  return html`
    ${of.error && !isSaid && html`<${Failure} error=${of.error} />`}
    ${of.value !== undefined && children(of.value)}
    ${of.value === undefined && !of.error && html`<p aria-busy="true">Loading …</p>`}
  `;
}
