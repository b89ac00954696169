/** The event that a write appended. */

import { href } from "../address.js";
import { html } from "../html.js";
import { ask } from "../http.js";
import { EventDetails } from "../parts/event.js";
import { Loaded, useLoaded } from "../parts/loading.js";

const LAST_NUMBER = "18446744073709551615";

/** `position` is the answer's Event-Id. */
export function AppendedEvent({ position }) {
  const after = positionBefore(position);
  const loaded = useLoaded(async (signal) => {
    const query = { after, limit: 1 };
    const headers = { Accept: "application/cloudevents-batch+json" };
    const [event] = (await ask("/events", { query, headers, signal })).value;
    if (event?.get("id") !== position) throw new Error("The event is not where it should be.");
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

/** The last position that may come before one: what to read on after, to begin with it. */
function positionBefore(position) {
  const [time, number] = position.split("-");
  if (number !== "0") return `${time}-${BigInt(number) - 1n}`;
  return `${BigInt(time) - 1n}-${LAST_NUMBER}`;
}
