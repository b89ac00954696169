/** What stands around every view: the places to go to, who looks, and whether the store is there. */

import { href } from "../address.js";
import { useAway } from "../connection.js";
import { html } from "../html.js";
import { may, setToken } from "../session.js";

const PLACES = [
  { view: "home", text: "Items", role: "reader", views: ["home", "items", "item", "edit", "life", "past"] },
  { view: "log", text: "Log", role: "reader", views: ["log"] },
  { view: "operations", text: "Operations", role: "reader", views: ["operations"] },
  { view: "tokens", text: "Tokens", role: "admin", views: ["tokens"] },
  { view: "try", text: "Try it", role: "reader", views: ["try"] },
];

/** `view` is the name of the one that is shown, `access` what `GET /` said, the view its content. */
export function Frame({ view, access, children }) {
  return html`
    <a class="skip unseen" href="#content" onClick=${skip}>Skip to content</a>
    <header class="frame"><div>
      <${Brand} />
      <nav aria-label="Places">
        ${PLACES.filter(({ role }) => may(role)).map((place) => html`
          <a href=${href(place.view)} aria-current=${currency(place, view)}>${place.text}</a>
        `)}
        <a href="docs">API</a>
      </nav>
      <${Who} ...${access.access} />
    </div></header>
    <${Away} />
    <main id="content" tabindex="-1">${children}</main>
  `;
}

/** The name of the product, which leads home. */
export function Brand() {
  return html`
    <a class="brand" href=${href("home")}><img src="explorer/icon.svg" alt="" width="20" height="20" />itemstore</a>
  `;
}

function currency(place, view) {
  if (place.view === view) return "page";
  return place.views.includes(view) ? "true" : null;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

function Who({ is_open: isOpen, token, role, collections, prefixes }) {
  if (isOpen) return html`<p class="who" title="The store has no tokens.">open to all</p>`;
  const isBound = collections?.length || prefixes?.length;
  return html`
    <div class="who">
      <span><bdi>${token}</bdi> · ${role}${isBound ? " · bound" : ""}</span>
      <button type="button" class="quiet" onClick=${() => setToken(null)}>Sign out</button>
    </div>
  `;
}

/** Says so while the store is away; it comes back by itself. */
export function Away() {
  const error = useAway();
  return html`
    <div role="status">
      ${error && html`<p class="away">${error.message} <span class="muted">Asking again until it does …</span></p>`}
    </div>
  `;
}
