/** One event, with all it has. */

import { href } from "../address.js";
import { html, useState } from "../html.js";
import { print } from "../json_text.js";

/** Members that are shown in a way of their own, or say the same of every event. */
const KNOWN = new Set([
  "specversion", "id", "source", "type", "subject", "time", "itemversion", "datacontenttype", "data",
]);

/** The name of the collection that an event is of: `source` is its path. */
export function collectionOf(event) {
  return event.get("source").split("/").pop();
}

/**
 * An event as `answer.value` or `parse` gives it, a Map: its members, its body, the text of it all,
 * and links to its item and to the version that it made.
 */
export function EventDetails({ event }) {
  const collection = collectionOf(event);
  const id = event.get("subject");
  const version = event.get("itemversion").toString();
  const more = [...event].filter(([name]) => !KNOWN.has(name));
  return html`
    <dl class="event-members">
      <dt>Type</dt><dd>${event.get("type")}</dd>
      <dt>Item</dt><dd><a href=${href("item", { collection, id })}><bdi>${id}</bdi></a></dd>
      <dt>Collection</dt><dd><a href=${href("items", { collection })}>${collection}</a></dd>
      <dt>Version</dt>
      <dd><a href=${href("life", { collection, id, version })}>${version}, in the item's life</a></dd>
      <dt>Time</dt><dd><time datetime=${event.get("time")}>${event.get("time")}</time></dd>
      <dt>Position</dt><dd><code>${event.get("id")}</code></dd>
      ${more.map(([name, value]) => html`
        <dt>${labelOf(name)}</dt>
        <dd><bdi>${typeof value === "string" ? value : print(value)}</bdi></dd>
      `)}
    </dl>
    ${event.has("data")
      ? html`<h3>Body</h3><pre>${print(event.get("data"), 2)}</pre>`
      : html`<p class="muted">It has no body: the item was deleted.</p>`}
    <${Raw} event=${event} />
  `;
}

function labelOf(name) {
  return name[0].toUpperCase() + name.slice(1);
}

/** The text of the event, made when somebody wants to see it. */
function Raw({ event }) {
  const [isOpen, setIsOpen] = useState(false);
  return html`
    <details onToggle=${(toggled) => setIsOpen(toggled.target.open)}>
      <summary>As a CloudEvent</summary>
      ${isOpen && html`<pre>${print(event, 2)}</pre>`}
    </details>
  `;
}
