/** Where a list that comes in pages goes on. */

import { html } from "../html.js";

/**
 * `first` and `next` are addresses, null where there is no such page; what stands between them, as
 * `100 of 2,000 items`, is the content.
 */
export function Pager({ first = null, next = null, children }) {
  return html`
    <nav class="pager" aria-label="Pages">
      <span>${children}</span>
      <span class="actions">
        ${first && html`<a class="button" href=${first}>First page</a>`}
        ${next && html`<a class="button" rel="next" href=${next}>Next page</a>`}
      </span>
    </nav>
  `;
}
