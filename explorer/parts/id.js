/** An item's id. */

import { html } from "../html.js";
import { withUnseen } from "./visible.js";

const LONG = 60;

/** The whole id, whatever its direction. No two look the same: blanks stay, and what is unseen is named. */
export function Id({ id }) {
  const pieces = withUnseen(id);
  return html`<bdi class="id ${id.length > LONG ? "long" : ""}">${pieces.map((piece, at) =>
    at % 2 ? html`<span class="unseen-character">${piece}</span>` : piece,
  )}</bdi>`;
}
