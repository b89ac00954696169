/** Asks whether events that are set aside are to be forgotten, and has them forgotten. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { Dialog } from "../parts/dialog.js";
import { Failure } from "../parts/failure.js";
import { counted } from "../parts/quantity.js";
import { useSending } from "../parts/sending.js";

/** `which` is what the store is asked for: `{ids}` with one, or `{all: true}`. */
export function DropDeadLetters({ path, which, projection, onClose, onDropped }) {
  const { isSending, error, send } = useSending();
  const drop = async () => {
    const sent = { method: "POST", body: JSON.stringify(which) };
    const { count } = (await ask(`${path}/drop`, sent)).plain;
    onClose();
    onDropped(`${counted(count, "event")} dropped.`);
  };
  return html`
    <${Dialog} title=${which.all ? "Drop all that is set aside?" : "Drop this event?"} onClose=${onClose}>
      <p>
        ${which.all ? "All of them, on every page," : html`<span class="mono">${which.ids[0]}</span>`}
        ${" "}will not be handled by ${projection} any more. In the log nothing changes.
      </p>
      ${error && html`<${Failure} error=${error} />`}
      <div class="actions">
        <button type="button" onClick=${onClose}>Keep</button>
        <button type="button" class="danger" disabled=${isSending} onClick=${() => send(drop)}>Drop</button>
      </div>
    <//>
  `;
}
