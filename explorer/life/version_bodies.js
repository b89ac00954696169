/** One version of an item: its body, what differs from another one, and the event behind it. */

import { go, href } from "../address.js";
import { html, useState } from "../html.js";
import { ask, itemPath } from "../http.js";
import { Difference } from "../difference/difference.js";
import { EventDetails } from "../parts/event.js";
import { Json } from "../parts/json.js";
import { Loaded, useLoaded } from "../parts/loading.js";

/** The body that a version left, or that it left none. */
export function Body({ event, history }) {
  if (event.isGone) return html`<${Gone} version=${event.version} />`;
  if (event.body !== undefined) return html`<${Json} value=${event.body} />`;
  const before = { collection: history.collection, id: history.id, version: event.version - 1 };
  return html`
    <p class="empty">
      Version ${event.version} deleted the item: it has no body.
      ${" "}<a href=${href("life", before)}>Version ${before.version} is the one before</a>.
    </p>
  `;
}

/** What differs from another version, which can be chosen. `other` is null before the first. */
export function Compared({ history, event, other }) {
  const { collection, id, count } = history;
  const choose = (input) => {
    const against = Number(input.target.value);
    if (!(against >= 1 && against <= count)) return;
    go("life", { collection, id, version: event.version, against }, { replace: true });
  };
  return html`
    <div class="bar against">
      <label>Compared with version
        <input type="number" min="1" max=${count} value=${other?.version ?? ""} onChange=${choose} />
      </label>
      ${other && other.version !== event.version - 1 && event.version > 1 && html`
        <a href=${href("life", { collection, id, version: event.version })}>the one before</a>
      `}
      ${other?.version !== count && event.version !== count && html`
        <a href=${href("life", { collection, id, version: event.version, against: count })}>the newest</a>
      `}
    </div>
    ${other === null && html`<p class="muted">It is the first version: nothing was there before it.</p>`}
    ${other?.isGone && html`<${Gone} version=${other.version} />`}
    ${other !== null && !other.isGone && !event.isGone && html`
      <${Difference} before=${other.body} after=${event.body}
        label=${`From version ${other.version} to version ${event.version}`} />
    `}
  `;
}

function Gone({ version }) {
  return html`<p class="empty">Version ${version} was removed from the log by the operator.</p>`;
}

/** The event with all it has, and how the store answers for its version: made when opened. */
export function Raw({ history, event }) {
  const [isOpen, setIsOpen] = useState(false);
  return html`
    <details class="raw" onToggle=${(toggled) => setIsOpen(toggled.target.open)}>
      <summary>The event of version ${event.version}, and its header fields</summary>
      ${isOpen && html`
        <${EventDetails} event=${event.whole} />
        ${event.body !== undefined && html`<${HeaderFields} history=${history} version=${event.version} />`}
      `}
    </details>
  `;
}

function HeaderFields({ history, version }) {
  const path = itemPath(history.collection, history.id, "versions", version);
  const answer = useLoaded((signal) => ask(path, { method: "HEAD", signal }), [path]);
  return html`
    <h3>What GET <bdi>${path}</bdi> answers with</h3>
    <${Loaded} of=${answer}>${(found) => html`
      <dl class="facts mono">
        ${[...found.headers].map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}
      </dl>
    `}<//>
  `;
}
