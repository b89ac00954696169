/** Where an address leads nowhere: it leaves out what its view needs, or names what can't be. */

import { href } from "../address.js";
import { html } from "../html.js";
import { isStep } from "../http.js";
import { Id } from "../parts/id.js";
import { useTitle } from "../parts/title.js";

const NEEDED = {
  items: ["collection"],
  edit: ["collection"],
  item: ["collection", "id"],
  life: ["collection", "id"],
  past: ["collection", "id"],
};

/** Why there is nothing to show, as a sentence; null where there may be something. */
export function whyNowhere(view, { collection, id }, collections) {
  if (!Object.hasOwn(NEEDED, view)) return null;
  const needed = NEEDED[view];
  if (!collection) return html`The address names no collection.`;
  if (!collections.includes(collection)) {
    return html`There is no collection <bdi><code>${collection}</code></bdi>, or none that you may see.`;
  }
  if (id === "" || (id === undefined && needed.includes("id"))) return html`The address names no item.`;
  return isStep(id) ? html`No item can have the id <${Id} id=${id} />.` : null;
}

/** Says so, and leads back to where there is something. */
export function Nowhere({ heading = "There is nothing here", why }) {
  useTitle(heading);
  return html`
    <h1>${heading}</h1>
    <p>${why}</p>
    <p><a href=${href("home")}>All collections</a></p>
  `;
}
