/** The event that a write appended. */

import { href } from "../address.js";
import { html } from "../html.js";
import { ask } from "../http.js";
import { placesUpTo, positionBefore } from "../log/positions.js";
import { EventDetails } from "../parts/event.js";
import { Loaded, useLoaded } from "../parts/loading.js";

/** `position` is the answer's Event-Id. */
export function AppendedEvent({ position }) {
  const after = positionBefore(position);
  const loaded = useLoaded(async (signal) => {
    const query = { after, limit: placesUpTo(position) };
    const headers = { Accept: "application/cloudevents-batch+json" };
    const events = (await ask("/events", { query, headers, signal })).value;
    const event = events.find((each) => each.get("id") === position);
    if (event === undefined) throw new Error("The event is not where it should be.");
    return event;
  }, [position]);
  return html`
    <section aria-label="The event that it appended">
      <h2>The event that it appended</h2>
      <p><a href=${href("log", { after })}>See it in the log</a></p>
      <${Loaded} of=${loaded}>${(event) => html`<${EventDetails} event=${event} />`}<//>
    </section>
  `;
}
