/** The views of one item. */

import { href } from "../address.js";
import { html } from "../html.js";

const VIEWS = [
  ["item", "Item"],
  ["life", "Life"],
  ["past", "Past"],
];

/** Links between them; `current` is the name of the view that is shown. */
export function Tabs({ collection, id, current }) {
  return html`
    <nav class="tabs" aria-label="This item">
      ${VIEWS.map(([view, text]) => html`
        <a href=${href(view, { collection, id })} aria-current=${view === current ? "page" : null}>${text}</a>
      `)}
    </nav>
  `;
}
