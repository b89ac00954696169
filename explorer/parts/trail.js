/** Where a view belongs: links to what it is a part of. */

import { href } from "../address.js";
import { html } from "../html.js";
import { Id } from "./id.js";

/** For a view of a collection, or, with `id`, of something below an item's own view. */
export function Trail({ collection, id }) {
  return html`
    <p class="trail">
      <a href=${href("home")}>Collections</a>
      ${collection !== undefined && html`
        <span> / </span><a href=${href("items", { collection })}><bdi>${collection}</bdi></a>
      `}
      ${id !== undefined && html`
        <span> / </span><a href=${href("item", { collection, id })}><${Id} id=${id} /></a>
      `}
    </p>
  `;
}
