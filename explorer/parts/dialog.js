/** A question, or what wants attention first: the rest of the page waits behind it. */

import { html, useLayoutEffect, useRef } from "../html.js";

/**
 * Open for as long as it is drawn. `onClose` is called when people want it closed, with Escape or
 * the button; afterwards the focus is where it was.
 */
export function Dialog({ title, onClose, isWide = false, children }) {
  const dialog = useRef();
  useLayoutEffect(() => {
    const { current } = dialog;
    current.showModal();
    return () => current.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`
    <dialog ref=${dialog} class=${isWide ? "wide" : ""} aria-label=${title} onCancel=${cancel}>
      <header>
        <h2>${title}</h2>
        <button type="button" class="quiet" onClick=${onClose}>Close</button>
      </header>
      ${children}
    </dialog>
  `;
}
