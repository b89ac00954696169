/** One item as it is now: its body, and what is known of it. */

import { href } from "../address.js";
import { html, useState } from "../html.js";
import { itemPath, urlOf } from "../http.js";
import { itemNow } from "../items/item_requests.js";
import { Copy } from "../parts/copy.js";
import { asCurl } from "../parts/curl.js";
import { DeleteItem } from "../items/delete_item.js";
import { Id } from "../parts/id.js";
import { ItemFacts } from "../items/item_facts.js";
import { Json } from "../parts/json.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { Tabs } from "../parts/tabs.js";
import { Time } from "../parts/time.js";
import { useTitle } from "../parts/title.js";
import { Trail } from "../parts/trail.js";
import { may } from "../session.js";

/** An item that is deleted, or never was, has its view too: it says so, and what can be done. */
export default function Item({ collection, id }) {
  const item = useLoaded((signal) => itemNow(collection, id, signal), [collection, id]);
  const [isDeleting, setDeleting] = useState(false);
  useTitle(`${id} · ${collection}`);
  const deleted = () => {
    setDeleting(false);
    item.reload();
  };
  return html`
    <div class="heading">
      <${Trail} collection=${collection} />
      <h1><${Id} id=${id} /></h1>
      ${item.value?.exists && may("writer") && html`
        <div class="actions">
          <a class="button" href=${href("edit", { collection, id })}>Edit</a>
          <button type="button" class="danger" onClick=${() => setDeleting(true)}>Delete</button>
        </div>
      `}
    </div>
    <${Tabs} collection=${collection} id=${id} current="item" />
    <${Loaded} of=${item}>${(found) =>
      found.exists
        ? html`<${Current} collection=${collection} id=${id} item=${found} />`
        : html`<${Absent} collection=${collection} id=${id} item=${found} />`
    }<//>
    ${isDeleting && html`
      <${DeleteItem} collection=${collection} id=${id} version=${item.value.version}
        onClose=${() => setDeleting(false)} onDeleted=${deleted} onReload=${item.reload} />
    `}
  `;
}

function Current({ collection, id, item }) {
  const [isRaw, setRaw] = useState(false);
  const path = itemPath(collection, id);
  return html`
    <${ItemFacts} collection=${collection} id=${id} item=${item} />
    <div class="heading">
      <h2>Body</h2>
      <div class="actions">
        <button type="button" class="quiet" aria-pressed=${isRaw} onClick=${() => setRaw(!isRaw)}>
          As it is stored
        </button>
        <${Copy} text=${item.text} label="Copy JSON" />
        <${Copy} text=${asCurl(path)} label="Copy as curl" />
        <${Copy} text=${urlOf(path).href} label="Copy URL" />
      </div>
    </div>
    ${isRaw
      ? html`<pre class="raw-body" tabindex="0" aria-label="As it is stored">${item.text}</pre>`
      : html`<${Json} value=${item.value} />`}
  `;
}

/** Where there is no item: when it was deleted, or that it never was. */
function Absent({ collection, id, item }) {
  const create = may("writer") && href("edit", { collection, id });
  if (!item.isDeleted) {
    return html`
      <div class="empty">
        <p>There never was an item with this id.</p>
        ${create && html`<p><a href=${create}>Create it</a></p>`}
      </div>
    `;
  }
  const { event, version } = item;
  return html`
    <div class="caution">
      <h2>This item is deleted</h2>
      <p>
        Version ${version} deleted it${event && html`, <${Time} at=${event.time} />`}${
          event?.actor && html`, by <bdi>${event.actor}</bdi>`}.
        Its history stays.
      </p>
      <p class="actions">
        <a class="button" href=${href("life", { collection, id })}>Its life</a>
        ${create && html`<a class="button" href=${create}>Create it again</a>`}
      </p>
    </div>
  `;
}
