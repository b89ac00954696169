/** How the log is followed: live, paused, cut; and what people can do about it. */

import { html } from "../html.js";
import { Failure } from "../parts/failure.js";
import { localTime } from "../parts/time.js";
import { MOST_WAITING } from "./followed_log.js";

/** A line that is said to screen readers when it changes, with its buttons. */
export function Standing({ log, onBeginAgain }) {
  const { stream, isPaused, older } = log;
  if (stream.state === "ended") {
    return html`<${Ended} error=${stream.error} onBeginAgain=${onBeginAgain} />`;
  }
  return html`
    <div class="standing">
      <p role="status" class=${`mark ${isPaused ? "paused" : stream.state}`}>${sentence(log)}</p>
      ${isPaused && html`<span class="count" aria-live="off">${waitingText(log)}</span>`}
      ${stream.state === "gone" && html`
        <button type="button" onClick=${() => log.tryNow()}>Try now</button>
      `}
      ${!log.isAtEnd && !older.isLoading && html`
        <button type="button" onClick=${onBeginAgain}>To its end</button>
      `}
      ${log.isAtEnd && html`
        <button type="button" onClick=${() => (isPaused ? log.goOn() : log.pause())}>
          ${isPaused ? "Go on" : "Pause"}
        </button>
      `}
    </div>
  `;
}

function sentence({ stream, isPaused, older, newer }) {
  if (stream.state === "gone") return `Not connected. ${stream.reason} Trying again …`;
  if (isPaused) return "Paused.";
  if (stream.state === "live") return "Live.";
  if (stream.state === "off" && !older.isLoading && !newer.isLoading) return "Not at the end of the log.";
  return "Connecting …";
}

function waitingText(log) {
  const count = log.waiting.length;
  if (log.isFull) return `More than ${MOST_WAITING.toLocaleString("en")} events wait.`;
  return `${count.toLocaleString("en")} ${count === 1 ? "event waits" : "events wait"}.`;
}

/** It makes no sense to try again: says why, and leads to where the log can be read from. */
function Ended({ error, onBeginAgain }) {
  return html`
    <${Failure} error=${error} />
    ${["other-log", "gone"].includes(error.kind) && html`
      <p>
        ${error.kind === "other-log"
          ? "What is listed here is of the log before. It may be gone, or have gone another way: a backup may have been brought back."
          : "The list stays as it is, and nothing is added to it."}
      </p>
    `}
    <p><button type="button" class="primary" onClick=${onBeginAgain}>Begin again</button></p>
  `;
}

/** What is beyond the oldest event in memory. */
export function BeyondOldest({ log }) {
  const { older } = log;
  if (older.error) {
    return html`
      <${Failure} error=${older.error} />
      <p><button type="button" onClick=${() => log.loadOlder()}>Try again</button></p>
    `;
  }
  if (log.isAtStart) return html`<p class="muted">${log.reasonOfStart ?? "Here the log begins."}</p>`;
  if (!older.isLoading) return null;
  const back = log.lookedBackTo;
  const until = back === null ? "" : ` Looked back to ${localTime(new Date(back).toISOString())}.`;
  return html`<p class="muted" aria-busy="true">Loading older events …${until}</p>`;
}
