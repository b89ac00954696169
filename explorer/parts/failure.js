/** What went wrong, in the words of the store. */

import { html } from "../html.js";

/** An error as people can use it: what the store says, and what it says to do about it. */
export function Failure({ error }) {
  const problem = error.problem;
  return html`
    <section class="failure" role="alert">
      <h2>${problem?.title ?? "Something went wrong"}</h2>
      <p>${error.message}</p>
    </section>
  `;
}
