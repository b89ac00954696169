/** What is shown in place of a view that fails, while the rest of the page goes on. */

import { html, useErrorBoundary } from "../html.js";

/** Its children, or what one of them threw. */
export function Boundary({ children }) {
  const [error, reset] = useErrorBoundary();
  const why = "The mistake is the explorer’s. The other views work, and nothing was changed.";
  return error ? html`<${Broken} error=${error} why=${why} onRetry=${reset} />` : children;
}

/** A view that can't be shown, and in words why: for want of its file, or by a mistake in it. */
export function Broken({ error, why, onRetry }) {
  return html`
    <h1>This view can’t be shown</h1>
    <section class="failure" role="alert">
      <p>${why}</p>
      <p><code>${String(error)}</code></p>
      <p class="actions">
        <button type="button" onClick=${onRetry}>Try again</button>
        <button type="button" onClick=${() => location.reload()}>Load the page again</button>
      </p>
    </section>
  `;
}
