/** Writing an item: a new one, or one that is there. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { itemNow } from "../items/item_requests.js";
import { EditForm } from "../edit/edit_form.js";
import { Id } from "../parts/id.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { fieldsOf } from "../edit/schema_fields.js";
import { useTitle } from "../parts/title.js";
import { Trail } from "../parts/trail.js";
import { may } from "../session.js";

const NONE_YET = { exists: false, isDeleted: false, version: null, event: null };

/** Without an id it is a new item; with one that has no item, it is created under that id. */
export default function Edit({ collection, id }) {
  const found = useLoaded((signal) => itemAndFields(collection, id, signal), [collection, id]);
  useTitle(id === undefined ? `New item · ${collection}` : `Edit ${id} · ${collection}`);
  return html`
    <div class="heading">
      <${Trail} collection=${collection} id=${id} />
      <h1>${id === undefined ? "New item" : html`Edit <${Id} id=${id} />`}</h1>
    </div>
    ${may("writer")
      ? html`<${Loaded} of=${found}>${({ item, fields }) => html`
          <${Beginning} id=${id} item=${item} />
          <${EditForm} collection=${collection} id=${id} item=${item} fields=${fields} />
        `}<//>`
      : html`<p class="notice">Your token is for reading only.</p>`}
  `;
}

function Beginning({ id, item }) {
  if (id === undefined || item.exists) return null;
  return html`
    <p class="notice">
      ${item.isDeleted
        ? "This item is deleted. Saving creates it again."
        : "There is no item with this id. Saving creates it."}
    </p>
  `;
}

async function itemAndFields(collection, id, signal) {
  const [item, schema] = await Promise.all([
    id === undefined ? NONE_YET : itemNow(collection, id, signal),
    schemaOf(collection, signal),
  ]);
  return { item, fields: fieldsOf(schema) };
}

/** What bodies of a collection are like, or null: without it they are written as JSON text. */
async function schemaOf(collection, signal) {
  try {
    return (await ask(`/schemas/${encodeURIComponent(collection)}`, { signal })).value;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}
