/** Whether the store takes writes, how durable they are, and how far its archive is. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { Position } from "../parts/position.js";
import { Polled, usePolled } from "../parts/polling.js";

const SECONDS = 5;

/** What `/readyz` says, in its words. */
export function Readiness() {
  const ready = usePolled((signal) => ask("/readyz", { signal }), SECONDS);
  return html`
    <${Polled} of=${ready}>${({ plain }) => html`
      <dl class="facts">
        <dt>Writes</dt>
        <dd>${ready.error ? "were accepted when the store last answered" : "are accepted"}</dd>
        <dt>Durability</dt>
        <dd>${plain.durability.meaning}
          <span class="muted"> The engine's fsync is ${plain.durability.fsync}; an acknowledgement waits for: ${plain.durability.waits_for}.</span></dd>
        <dt>Clock</dt>
        <dd>${plain.clock.meaning}</dd>
        ${plain.archive === null && html`
          <dt>Archive</dt><dd>This store has no archive, or the process that answers does not use it.</dd>
        `}
      </dl>
    `}<//>
  `;
}

/** The member `archive` of `/projections`. */
export function Archive({ archive }) {
  return html`
    <dl class="facts">
      <dt>What it means</dt><dd>${archive.meaning}</dd>
      <dt>Archived up to</dt><dd><${Position} of=${archive.position} /></dd>
      <dt>Not archived yet</dt><dd>${eventsWaiting(archive)}</dd>
      <dt>Read from the archive</dt>
      <dd>${archive.border === "0-0"
        ? "nothing; the engine has the whole log"
        : html`what is up to <${Position} of=${archive.border} />; the engine has the rest`}</dd>
      ${archive.id !== null && html`<dt>Its id</dt><dd class="mono">${archive.id}</dd>`}
    </dl>
  `;
}

function eventsWaiting({ lag, lag_seconds: seconds }) {
  if (lag === 0) return "nothing";
  return `${lag.toLocaleString("en")} events, the first from ${Math.round(seconds)} s ago`;
}
