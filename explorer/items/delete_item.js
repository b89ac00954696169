/** Asks whether an item is to be deleted, and deletes it if it is still as it was shown. */

import { html } from "../html.js";
import { deleteItem } from "./item_requests.js";
import { Dialog } from "../parts/dialog.js";
import { Failure } from "../parts/failure.js";
import { Id } from "../parts/id.js";
import { useSending } from "../parts/sending.js";

/** `onReload` is for what changed meanwhile: the item is looked at again, and asked for again. */
export function DeleteItem({ collection, id, version, onClose, onDeleted, onReload }) {
  const { isSending, error, send } = useSending();
  const isChanged = error?.status === 412;
  const isGone = error?.kind === "item-deleted";
  const remove = async () => {
    await deleteItem(collection, id, version);
    onDeleted();
  };
  const lookAgain = () => {
    onClose();
    onReload();
  };
  return html`
    <${Dialog} title="Delete this item?" onClose=${onClose}>
      <p>
        <${Id} id=${id} /> is at version ${version}. Its history stays: it can be looked at,
        and gone back to.
      </p>
      ${isChanged && html`
        <p class="caution" role="alert">Somebody changed it meanwhile, so it was not deleted.</p>
      `}
      ${isGone && html`<p class="notice" role="alert">Somebody deleted it already.</p>`}
      ${error && !isChanged && !isGone && html`<${Failure} error=${error} />`}
      <div class="actions">
        <button type="button" onClick=${onClose}>Cancel</button>
        ${isChanged || isGone
          ? html`
            <button type="button" class="primary" onClick=${lookAgain}>Show it as it is now</button>
          `
          : html`
            <button type="button" class="danger" disabled=${isSending}
              onClick=${() => send(remove)}>Delete</button>
          `}
      </div>
    <//>
  `;
}
