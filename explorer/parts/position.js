/** A place in the log. */

import { html } from "../html.js";
import { Time } from "./time.js";

const START = "0-0";

/** What begins a cursor: a position in each of several partitions. */
const CURSOR = "v";

/** The position, and the time that stands in it; a cursor has none to show. */
export function Position({ of }) {
  if (of === START) return html`<span class="muted">the log's beginning</span>`;
  if (of.startsWith(CURSOR)) return html`<span class="muted" title=${of}>a place in each partition</span>`;
  const at = new Date(Number(of.split("-")[0])).toISOString();
  return html`
    <span class="position"><span class="mono">${of}</span> <span class="muted">(<${Time} at=${at} />)</span></span>
  `;
}
