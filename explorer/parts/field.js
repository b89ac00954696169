/** One thing to fill in: its label, the control, a hint, and what the store says is wrong with it. */

import { html } from "../html.js";
import { FieldErrors } from "./problem_places.js";

/**
 * `children(attributes)` draws the control, which takes these attributes: its id, and what else
 * describes it. `errors` are those of problem_places.js at this field, whose `pointer` it is.
 */
export function Field({ id, label, hint, errors = [], pointer, grows = false, children }) {
  const hintId = `${id}-hint`;
  const errorsId = `${id}-errors`;
  const described = [hint && hintId, errors.length && errorsId].filter(Boolean).join(" ");
  const own = { id, "aria-describedby": described || undefined, "aria-invalid": errors.length > 0 };
  return html`
    <div class=${grows ? "field grows" : "field"}>
      <label for=${id}>${label}</label>
      ${children(own)}
      ${hint && html`<p class="hint" id=${hintId}>${hint}</p>`}
      <${FieldErrors} id=${errorsId} errors=${errors} pointer=${pointer} />
    </div>
  `;
}
