/** Asks whether a token is to be revoked, and revokes it. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { setToken } from "../session.js";
import { Dialog } from "../parts/dialog.js";
import { Failure } from "../parts/failure.js";
import { useSending } from "../parts/sending.js";

/** `isOwn`: it is the one that this page uses, which then asks for another one. */
export function RevokeToken({ token: { name }, isOwn, onClose, onRevoked }) {
  const { isSending, error, send } = useSending();
  const revoke = async () => {
    await ask(`/admin/tokens/${encodeURIComponent(name)}`, { method: "DELETE" });
    onClose();
    if (isOwn) setToken(null);
    else onRevoked();
  };
  return html`
    <${Dialog} title=${`Revoke ${name}?`} onClose=${onClose}>
      <p>It stops working within two seconds, and streams that it opened end. What was written with it stays as it is.</p>
      ${isOwn && html`
        <p class="caution">It is the token that you use here. This page will ask you for another one.</p>
      `}
      ${error && html`<${Failure} error=${error} />`}
      <div class="actions">
        <button type="button" onClick=${onClose}>Keep it</button>
        <button type="button" class="danger" disabled=${isSending} onClick=${() => send(revoke)}>Revoke</button>
      </div>
    <//>
  `;
}
