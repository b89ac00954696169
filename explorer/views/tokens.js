/** The tokens of the store: who may get in, for what, until when. For its admins. */

import { html, useState } from "../html.js";
import { ask } from "../http.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { NewToken } from "../tokens/new_token.js";
import { RevokeToken } from "../tokens/revoke_token.js";
import { Time } from "../parts/time.js";
import { useTitle } from "../parts/title.js";
import { may, useAccess } from "../session.js";

/** Only an admin who is bound to nothing sees any of them. */
export default function Tokens() {
  useTitle("Tokens");
  const { access } = useAccess();
  const isAllowed = may("admin") && !access.collections && !access.prefixes;
  return html`
    <div class="heading"><h1>Tokens</h1></div>
    ${access.is_open ? html`<${Open} />` : isAllowed ? html`<${Closed} own=${access.token} />` : html`
      <p class="notice">Tokens are shown to admins who are bound to nothing. This one is ${access.token}, a ${access.role}.</p>
    `}
  `;
}

/** A store without tokens: the first is made where one can prove to be the operator. */
function Open() {
  return html`
    <p class="caution">This store has no tokens: whoever reaches it may do everything.</p>
    <p>The first token is made with the command, on the machine of the store:</p>
    <pre>itemstore token create NAME --role admin</pre>
    <p>It prints the token. From then on every request needs one, this page asks for it, and an admin makes further ones here.</p>
  `;
}

function Closed({ own }) {
  const listed = useLoaded(async (signal) => (await ask("/admin/tokens", { signal })).plain, []);
  const [revoked, setRevoked] = useState(null);
  const close = () => setRevoked(null);
  return html`
    <${Loaded} of=${listed}>${({ tokens, unreadable }) => html`
      <${TokensTable} tokens=${tokens} own=${own} onRevoke=${setRevoked} />
      ${unreadable.map((name) => html`
        <p class="caution actions" key=${name}>
          The row of <bdi>${name}</bdi> is damaged, so it opens nothing.
          <${RevokeButton} token=${{ name }} onRevoke=${setRevoked} />
        </p>
      `)}
    `}<//>
    <${NewToken} onMade=${listed.reload} />
    ${revoked && html`
      <${RevokeToken} token=${revoked} isOwn=${revoked.name === own} onClose=${close} onRevoked=${listed.reload} />
    `}
  `;
}

function TokensTable({ tokens, own, onRevoke }) {
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Tokens">
      <table>
        <thead><tr>
          <th scope="col">Name</th>
          <th scope="col">Role</th>
          <th scope="col">Bound to</th>
          <th scope="col">Made</th>
          <th scope="col">Expires</th>
          <th scope="col"><span class="unseen">Revoke</span></th>
        </tr></thead>
        <tbody>
          ${tokens.map((token) => html`
            <tr key=${token.name}>
              <th scope="row">${token.name}${token.name === own && html` <span class="muted">(yours)</span>`}</th>
              <td>${token.role}</td>
              <td><${Bounds} of=${token} /></td>
              <td><${Time} at=${token.created} /></td>
              <td><${Expiry} of=${token} /></td>
              <td class="number"><${RevokeButton} token=${token} onRevoke=${onRevoke} /></td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function Bounds({ of: { collections, prefixes } }) {
  if (!collections && !prefixes) return html`<span class="muted">nothing</span>`;
  return html`
    ${collections && html`<div>collections: ${collections.join(", ")}</div>`}
    ${prefixes && html`<div>ids that begin with ${prefixes.map((each, at) => html`${at > 0 && ", "}<bdi class="id">${each}</bdi>`)}</div>`}
  `;
}

function Expiry({ of: { expires, expired } }) {
  if (expires === null) return html`<span class="muted">never</span>`;
  return html`<${Time} at=${expires} />${expired && html` <b>(expired)</b>`}`;
}

function RevokeButton({ token, onRevoke }) {
  return html`
    <button type="button" class="danger" aria-label=${`Revoke ${token.name}`} onClick=${() => onRevoke(token)}>Revoke</button>
  `;
}
