/** Sending something once, however often the button is pressed. */

import { useRef, useState } from "../html.js";

/**
 * `send(work)` awaits `work()`, and does nothing while an earlier one is on its way. `error` is
 * what the last one threw, null while the next one is sent.
 */
export function useSending() {
  const isBusy = useRef(false);
  const [state, setState] = useState({ isSending: false, error: null });
  const send = async (work) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setState({ isSending: true, error: null });
    try {
      await work();
      setState({ isSending: false, error: null });
    } catch (error) {
      setState({ isSending: false, error });
    } finally {
      isBusy.current = false;
    }
  };
  return { ...state, send };
}
