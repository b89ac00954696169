/** The collections of the store: how much is in each, and how much happened. */

import { html, useState } from "../html.js";
import { ask } from "../http.js";
import { CollectionRow } from "../home/collection_row.js";
import { Failure } from "../parts/failure.js";
import { useLoaded } from "../parts/loading.js";
import { bytes, counted } from "../parts/quantity.js";
import { Time } from "../parts/time.js";
import { useTitle } from "../parts/title.js";
import { may, useAccess } from "../session.js";

const MANY = 12;

/** Each collection with its total, which is exact, and its statistics, a moment behind. */
export default function Home() {
  const { collections, access } = useAccess();
  const [sought, setSought] = useState("");
  const mayCount = !access.prefixes?.length;
  const stats = useLoaded(async (signal) => (mayCount ? (await ask("/stats", { signal })).plain : null), []);
  const shown = collections.filter((name) => name.includes(sought.trim().toLowerCase()));
  useTitle("Collections");
  return html`
    <div class="heading"><h1>Collections</h1></div>
    <${Bounds} ...${access} />
    ${collections.length > MANY && html`<${Search} ...${{ sought, setSought, found: shown.length }} />`}
    ${shown.length > 0 && html`
      <div class="scroller"><table class="collections ${mayCount ? "" : "short"}">
        <thead><tr>
          <th scope="col">Collection</th>
          <th scope="col" class="number">Items</th>
          ${mayCount && html`
            <th scope="col" class="number">Events</th>
            <th scope="col" class="number roomy">Stored</th>
            <th scope="col" class="roomy">Last 30 days</th>
            <th scope="col" class="roomy">Last event</th>
          `}
          ${may("writer") && html`<th scope="col"><span class="unseen">New</span></th>`}
        </tr></thead>
        <tbody>
          ${shown.map((name) => html`
            <${CollectionRow} key=${name} name=${name} hasStats=${mayCount} stats=${statsOf(stats.value, name)} />
          `)}
        </tbody>
      </table></div>
    `}
    ${collections.length === 0 && html`<p class="empty">There is no collection that this token may see.</p>`}
    ${stats.value?.events > 0 && html`<${Summary} ...${stats.value} />`}
    ${stats.error && html`<${Failure} error=${stats.error} onRetry=${stats.reload} />`}
  `;
}

/** A store without named collections has the statistics of the only one as its own. */
function statsOf(stats, name) {
  return stats?.collections ? stats.collections[name] : stats;
}

function Search({ sought, setSought, found }) {
  return html`
    <div class="bar">
      <div class="field">
        <label for="sought">Find a collection</label>
        <input id="sought" type="search" value=${sought} onInput=${(event) => setSought(event.target.value)} />
      </div>
      <p class="hint" role="status">${counted(found, "collection")}</p>
    </div>
  `;
}

/** What a token is bound to, in words. */
function Bounds({ collections, prefixes }) {
  if (!collections?.length && !prefixes?.length) return null;
  const listed = (texts) => texts.map((text, at) => html`${at ? ", " : ""}<bdi><code>${text}</code></bdi>`);
  return html`
    <p class="notice">
      Your token sees ${collections?.length ? html`only ${listed(collections)}` : "every collection"}${
      prefixes?.length ? html`, and only ids that begin with ${listed(prefixes)}` : ""}.
    </p>
  `;
}

function Summary({ items, events, types, bytes: size, position }) {
  const each = Object.entries({ created: "ItemCreated", updated: "ItemUpdated", deleted: "ItemDeleted" })
    .filter(([, type]) => types[type])
    .map(([word, type]) => `${types[type].toLocaleString("en")} ${word}`);
  return html`
    <p class="summary muted">
      ${counted(items, "item")} from ${counted(events, "event")} (${each.join(", ")}), ${bytes(size)} of bodies.
      As of ${" "}<${Time} at=${new Date(parseInt(position)).toISOString()} />.
    </p>
  `;
}
