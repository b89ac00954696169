/** What went wrong, in the words of the store. */

import { html } from "../html.js";

/** An error as people can use it: what the store says, and what it says to do about it. */
export function Failure({ error, onRetry }) {
  return html`
    <section class="failure" role="alert">
      <h2>${error.problem?.title ?? error.title ?? "Something went wrong"}</h2>
      <p>${error.message}</p>
      ${onRetry && html`<p><button type="button" onClick=${onRetry}>Try again</button></p>`}
    </section>
  `;
}
