/** A place in the log. */

import { html } from "../html.js";
import { Time } from "./time.js";

const START = "0-0";

/** The position, and the time that stands in it. */
export function Position({ of }) {
  if (of === START) return html`<span class="muted">the log's beginning</span>`;
  const at = new Date(Number(of.split("-")[0])).toISOString();
  return html`
    <span class="position"><span class="mono">${of}</span> <span class="muted">(<${Time} at=${at} />)</span></span>
  `;
}
