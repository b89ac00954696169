/** What a view shows while it waits for the store, and when the store refuses. */

import { useBack } from "../connection.js";
import { html, useCallback, useEffect, useState } from "../html.js";
import { Failure } from "./failure.js";

/**
 * What `load(signal)` gives, asked for anew whenever `inputs` change: `{value, error, isLoading,
 * reload}`. What an earlier call gives is left out, and the earlier value stays while a new one is
 * on its way.
 */
export function useLoaded(load, inputs) {
  const [found, setFound] = useState({ value: undefined, error: null, isLoading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setFound((before) => ({ ...before, isLoading: true }));
    load(abort.signal).then(
      (value) => abort.signal.aborted || setFound({ value, error: null, isLoading: false }),
      (error) => abort.signal.aborted || setFound({ value: undefined, error, isLoading: false }),
    );
    return () => abort.abort();
  }, [...inputs, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useBack(useCallback(() => found.error && reload(), [found.error]));
  return { ...found, reload };
}

/** `children(value)` of what useLoaded gave, or why there is none. */
export function Loaded({ of, children }) {
  if (of.error) return html`<${Failure} error=${of.error} onRetry=${of.reload} />`;
  if (of.value === undefined) return html`<${Loading} />`;
  return children(of.value);
}

/** Says that something is on its way; styles/notices.css shows it only when it takes long. */
export function Loading() {
  return html`<p class="loading" aria-busy="true">Loading …</p>`;
}
