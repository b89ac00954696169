/** The items of a collection: in pages, by the beginning of their ids, or by what is in them. */

import { go, href } from "../address.js";
import { html, useState } from "../html.js";
import { ask } from "../http.js";
import { latestPosition } from "../items/item_requests.js";
import { bodyTexts } from "../items/body_texts.js";
import { Copy } from "../parts/copy.js";
import { ItemsFilter } from "../items/items_filter.js";
import { ItemsTable } from "../items/items_table.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { Pager } from "../parts/pager.js";
import { Position } from "../parts/position.js";
import { counted } from "../parts/quantity.js";
import { useTitle } from "../parts/title.js";
import { Trail } from "../parts/trail.js";
import { may, useAccess } from "../session.js";

const ON_A_PAGE = 50;

/** The parameters are those of the address; all but the collection may be missing. */
export default function Items({ collection, prefix, after, where, order, search, limit }) {
  const { queries } = useAccess();
  const asked = { prefix, where, order, search };
  const isQuery = Boolean(where || order || search);
  const page = useLoaded(
    (signal) => pageOf(collection, { ...asked, after, limit: limit ?? ON_A_PAGE }, isQuery, signal),
    [collection, prefix, after, where, order, search, limit],
  );
  useTitle(collection);
  return html`
    <div class="heading">
      <${Trail} />
      <h1><bdi>${collection}</bdi></h1>
      <div class="actions">
        <${Jump} collection=${collection} />
        ${may("writer") && html`
          <a class="button primary" href=${href("edit", { collection })}>New item</a>
        `}
      </div>
    </div>
    <${ItemsFilter} collection=${collection} asked=${asked} hasQueries=${queries}
      error=${page.error} />
    <${TooExpensive} error=${page.error} />
    ${page.error?.kind !== "invalid-query" && html`
      <${Loaded} of=${page}>${(found) => html`
        <${Page} collection=${collection} asked=${asked} after=${after} limit=${limit}
          isQuery=${isQuery} found=${found} isLoading=${page.isLoading} />
      `}<//>
    `}
  `;
}

/**
 * A page of the list. A query shows what was written here before; where it can't yet, it says so.
 */
async function pageOf(collection, query, isQuery, signal) {
  const path = `/${collection}`;
  const position = isQuery ? latestPosition() : null;
  if (position === null) return pageIn(await ask(path, { query, signal }), false);
  try {
    return pageIn(await ask(path, { query: { ...query, min_position: position }, signal }), false);
  } catch (error) {
    if (error.kind !== "read-model-behind") throw error;
    return pageIn(await ask(path, { query, signal }), true);
  }
}

function pageIn(answer, isBehind) {
  const { items, next, total, total_at_least } = answer.plain;
  const texts = bodyTexts(answer.text);
  return {
    items: items.map(({ item, ...each }, at) => ({ ...each, text: texts[at] })),
    next,
    total: total ?? total_at_least,
    isExact: total !== undefined,
    position: answer.field("Position"),
    isBehind,
  };
}

/** Opens an item by its whole id. */
function Jump({ collection }) {
  const [id, setId] = useState("");
  const open = (event) => {
    event.preventDefault();
    go("item", { collection, id });
  };
  return html`
    <form class="actions" onSubmit=${open}>
      <input type="text" class="mono" aria-label="Whole id" placeholder="Whole id" required
        autocomplete="off" autocapitalize="none" spellcheck=${false} dir="auto" value=${id}
        onInput=${(event) => setId(event.target.value)} />
      <button>Open</button>
    </form>
  `;
}

/** What the operator can do about a query that is refused. The refusal itself is shown below. */
function TooExpensive({ error }) {
  const setting = error?.kind === "query-too-expensive" ? error.problem.setting : null;
  if (!setting) return null;
  return html`
    <div class="notice">
      <p>An index on <code>${error.problem.index}</code> would help. The operator declares it:</p>
      <p><code>${setting}</code> <${Copy} text=${setting} /></p>
    </div>
  `;
}

function Page({ collection, asked, after, limit, isQuery, found, isLoading }) {
  const next = found.next && href("items", { collection, ...asked, limit, after: found.next });
  const first = after && href("items", { collection, ...asked, limit });
  return html`
    <p class="muted" role="status">
      ${countOf(found, isQuery)}
      ${found.position && html`
        <span>, as of </span><${Position} of=${found.position} />
      `}
    </p>
    ${found.isBehind && html`
      <p class="notice">The list does not have your last change yet. Show it again in a moment.</p>
    `}
    <div aria-busy=${isLoading}>
      ${found.items.length
        ? html`<${ItemsTable} collection=${collection} items=${found.items} />`
        : html`<${Nothing} collection=${collection} asked=${asked} after=${after} next=${next} />`}
    </div>
    <${Pager} first=${first} next=${next}>
      ${found.items.length.toLocaleString("en")} on this page
    <//>
  `;
}

function countOf({ total, isExact }, isQuery) {
  return `${isExact ? "" : "at least "}${counted(total, "item")}${isQuery ? " found" : ""}`;
}

function Nothing({ collection, asked, after, next }) {
  if (next) return html`<p class="empty">None on this page. The list goes on.</p>`;
  if (after) return html`<p class="empty">The list has no more items.</p>`;
  if (Object.values(asked).some(Boolean)) return html`<p class="empty">No item is like that.</p>`;
  return html`
    <div class="empty">
      <p>There are no items yet.</p>
      ${may("writer") && html`
        <p><a href=${href("edit", { collection })}>Make the first one</a></p>
      `}
    </div>
  `;
}
