/** A page of items as a table. */

import { href } from "../address.js";
import { html } from "../html.js";
import { preview } from "./body_texts.js";
import { Id } from "../parts/id.js";
import { Time } from "../parts/time.js";

/** `items` are `{id, version, modified, text}`. Bodies are shown by the beginning of their text. */
export function ItemsTable({ collection, items }) {
  return html`
    <div class="scroller">
      <table class="items-table">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Body</th>
            <th scope="col" class="number">Version</th>
            <th scope="col">Modified</th>
          </tr>
        </thead>
        <tbody>
          ${items.map((each) => html`
            <${Row} key=${each.id} collection=${collection} ...${each} />
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function Row({ collection, id, version, modified, text }) {
  return html`
    <tr>
      <th scope="row">
        <a href=${href("item", { collection, id })} title=${id}><${Id} id=${id} /></a>
      </th>
      <td class="cut"><code><bdi>${preview(text)}</bdi></code></td>
      <td class="number">${version}</td>
      <td class="when"><${Time} at=${modified} /></td>
    </tr>
  `;
}
