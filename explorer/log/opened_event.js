/** The event that is open, beside the list. */

import { html, useEffect, useRef } from "../html.js";
import { EventDetails } from "../parts/event.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { eventAt } from "./pages.js";

/** The event at a position; `takesFocus` where it was opened with the keyboard. */
export function OpenedEvent({ position, takesFocus, onClose }) {
  const found = useLoaded((signal) => eventAt(position, signal), [position]);
  const heading = useRef(null);
  useEffect(() => {
    if (takesFocus) heading.current.focus();
  }, [position, takesFocus]);
  const press = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onClose();
  };
  return html`
    <section class="opened-event" aria-labelledby="opened-event" onKeyDown=${press}>
      <header>
        <h2 id="opened-event" tabindex="-1" ref=${heading}>Event</h2>
        <button type="button" class="quiet" onClick=${onClose}>Close</button>
      </header>
      <${Loaded} of=${found}>${(event) => html`<${EventDetails} event=${event} key=${position} />`}<//>
    </section>
  `;
}
