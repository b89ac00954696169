/** One thing to fill in: its label, the control, a hint. */

import { html } from "../html.js";

/** `children(attributes)` draws the control, which takes these attributes: its id, and whose hint. */
export function Field({ id, label, hint, grows = false, children }) {
  const hintId = `${id}-hint`;
  return html`
    <div class=${grows ? "field grows" : "field"}>
      <label for=${id}>${label}</label>
      ${children({ id, "aria-describedby": hint ? hintId : undefined })}
      ${hint && html`<p class="hint" id=${hintId}>${hint}</p>`}
    </div>
  `;
}
