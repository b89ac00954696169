/** An item's id. */

import { html } from "../html.js";

const LONG = 60;

/** The whole id, whatever its direction: what stands around it is not turned about. */
export function Id({ id }) {
  return html`<bdi class="id ${id.length > LONG ? "long" : ""}">${id}</bdi>`;
}
