/** A page of items as a table. */

import { href } from "../address.js";
import { html } from "../html.js";
import { Id } from "./id.js";
import { preview } from "./preview.js";
import { Time } from "./time.js";

/** `items` is the list as the store gave it, lossless. Bodies are shown by their beginning. */
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
            <${Row} key=${each.get("id")} collection=${collection} listed=${each} />
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function Row({ collection, listed }) {
  const id = listed.get("id");
  return html`
    <tr>
      <th scope="row">
        <a href=${href("item", { collection, id })} title=${id}><${Id} id=${id} /></a>
      </th>
      <td class="cut"><code><bdi>${preview(listed.get("item"))}</bdi></code></td>
      <td class="number">${String(listed.get("version"))}</td>
      <td class="when"><${Time} at=${listed.get("modified")} /></td>
    </tr>
  `;
}
