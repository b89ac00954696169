/** The id of a new item: one's own, or one that the store chooses. */

import { html } from "../html.js";
import { useAccess } from "../session.js";

/** `error` is what the store said of the write. Who is bound to prefixes has to name an id. */
export function NewId({ id, error, onId }) {
  const { access } = useAccess();
  const prefixes = access.prefixes ?? null;
  const isRefused = error?.kind === "invalid-item-id";
  return html`
    <div class="field">
      <label for="new-id">Id</label>
      <input id="new-id" class="mono" type="text" autocomplete="off" autocapitalize="none"
        spellcheck=${false} dir="auto" value=${id} aria-describedby="new-id-hint"
        aria-invalid=${isRefused} onInput=${(event) => onId(event.target.value)} />
      <p class="hint" id="new-id-hint">
        ${prefixes === null
          ? "Left empty, the store chooses one. An id may have any characters, a slash too."
          : html`Your token is for ids that begin with ${prefixes.map(prefixListed)}.`}
      </p>
      ${isRefused && html`<p class="error">${error.message}</p>`}
    </div>
  `;
}

function prefixListed(prefix, at) {
  return html`${at > 0 && " or "}<code><bdi>${prefix}</bdi></code>`;
}
