/** One event, with all it has. */

import { href } from "../address.js";
import { html, useState } from "../html.js";
import { print } from "../json_text.js";
import { Copy } from "./copy.js";
import { Id } from "./id.js";
import { Json } from "./json.js";
import { Time } from "./time.js";
import { Type } from "./type.js";

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
    <dl class="facts">
      <dt>Type</dt><dd><${Type} of=${event.get("type")} /></dd>
      <dt>Item</dt><dd><a href=${href("item", { collection, id })}><${Id} id=${id} /></a></dd>
      <dt>Collection</dt><dd><a href=${href("items", { collection })}>${collection}</a></dd>
      <dt>Version</dt>
      <dd><a href=${href("life", { collection, id, version })}>${version}, in the item's life</a></dd>
      <dt>Time</dt><dd><${Time} at=${event.get("time")} /></dd>
      <dt>Position</dt><dd><code>${event.get("id")}</code></dd>
      ${more.map(([name, value]) => html`
        <dt>${labelOf(name)}</dt>
        <dd><bdi>${typeof value === "string" ? value : print(value)}</bdi></dd>
      `)}
    </dl>
    ${event.has("data")
      ? html`<h3>Body</h3><${Json} value=${event.get("data")} />`
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
      ${isOpen && html`<${Copy} text=${print(event)} /><${Json} value=${event} />`}
    </details>
  `;
}
