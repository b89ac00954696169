/** What is shown in place of a view that fails, while the rest of the page goes on. */

import { html, useErrorBoundary } from "../html.js";

/** Its children, or what one of them threw. */
export function Boundary({ children }) {
  const [error, reset] = useErrorBoundary();
  return error ? html`<${Broken} error=${error} onRetry=${reset} />` : children;
}

/** A view that can't be shown, for want of its file or by a mistake in it. */
export function Broken({ error, onRetry }) {
  return html`
    <h1>This view can’t be shown</h1>
    <section class="failure" role="alert">
      <p>It failed with: ${String(error)}</p>
      <p>The mistake is the explorer’s. The other views work, and nothing was changed.</p>
      <p class="actions">
        <button type="button" onClick=${onRetry}>Try again</button>
        <button type="button" onClick=${() => location.reload()}>Load the page again</button>
      </p>
    </section>
  `;
}
