/** Rebuilds and verifications: started, watched, cancelled, and what came of earlier ones. */

import { html, useState } from "../html.js";
import { ask } from "../http.js";
import { Failure } from "../parts/failure.js";
import { OperationResult } from "./operation_result.js";
import { Polled, usePolled } from "../parts/polling.js";
import { useSending } from "../parts/sending.js";
import { StartOperation } from "./start_operation.js";
import { localTime } from "../parts/time.js";

const WHILE_RUNNING = 1;
const WHILE_IDLE = 5;

/** `projections` is what `/projections` has: what may be chosen. `onEnd` is called when one ended. */
export function OperationsPanel({ projections, onEnd }) {
  const [seconds, setSeconds] = useState(WHILE_IDLE);
  const [watched, setWatched] = useState(null);
  const polled = usePolled(async (signal) => {
    const found = (await ask("/admin/operations", { signal })).plain.operations;
    const running = found.find(isRunning)?.id ?? null;
    setSeconds(running === null ? WHILE_IDLE : WHILE_RUNNING);
    if (watched !== null && running !== watched) onEnd();
    setWatched(running);
    return found;
  }, seconds);
  return html`
    <${Polled} of=${polled}>${(found) => html`
      <${Running} operation=${found.find(isRunning)} again=${polled.again} />
      <${StartOperation} projections=${projections} isBusy=${found.some(isRunning)} onStart=${polled.again} />
      <${Announcement} newest=${found[0]} />
      <h3>Earlier ones</h3>
      <${Ended} operations=${found.filter((each) => !isRunning(each))} />
    `}<//>
  `;
}

function isRunning({ status }) {
  return status === "running";
}

/** What is going on now, and the way to end it. */
function Running({ operation, again }) {
  const { isSending, error, send } = useSending();
  if (!operation) return null;
  const cancel = () =>
    send(() => ask(`/admin/operations/${operation.id}`, { method: "DELETE" })).then(again);
  const by = operation.cancelled_by === null ? "" : ` by ${operation.cancelled_by}`;
  return html`
    <section class="notice" aria-label="Running now">
      <h3>${titleOf(operation)}</h3>
      <${ProgressOf} progress=${operation.progress} />
      <p class="actions">
        ${operation.cancelling
          ? html`<span>It is being cancelled${by} …</span>`
          : html`<button type="button" class="danger" disabled=${isSending} onClick=${cancel}>Cancel</button>`}
        <span class="muted">${capital(startOf(operation))}. What is live stays as it is until the end.</span>
      </p>
      ${error && html`<${Failure} error=${error} />`}
    </section>
  `;
}

function ProgressOf({ progress }) {
  if (!progress) return html`<p><progress aria-label="Progress"></progress> beginning</p>`;
  const { stage, done, total, unit, collection, partition } = progress;
  const where = [collection, partition !== undefined && `partition ${partition}`].filter(Boolean);
  const isKnown = total > 0;
  return html`
    <p class="progress">
      <progress aria-label="Progress" max=${isKnown ? total : undefined} value=${isKnown ? done : undefined}></progress>
      <span>${stage}${where.length > 0 && ` ${where.join(", ")}`}: ${done.toLocaleString("en")}${isKnown && ` of ${total.toLocaleString("en")}`} ${unit}</span>
    </p>
  `;
}

/** Says to screen readers that one has begun or ended: not how far it is, every second. */
function Announcement({ newest }) {
  return html`<p class="unseen" role="status">${newest && `${titleOf(newest)}: ${newest.status}`}</p>`;
}

function Ended({ operations }) {
  if (!operations.length) return html`<p class="empty">Nothing was rebuilt or verified here so far.</p>`;
  return html`
    <ul class="ended">
      ${operations.map((each) => html`
        <li key=${each.id}>
          <details>
            <summary>
              <span>${titleOf(each)}</span> <${Outcome} operation=${each} />
              <span class="muted"> ${startOf(each)}</span>
            </summary>
            <${OperationResult} operation=${each} />
          </details>
        </li>
      `)}
    </ul>
  `;
}

/** In a word how it ended, and of a verification whether all was well. */
function Outcome({ operation: { status, result } }) {
  if (status !== "succeeded") {
    return html`<span class=${`outcome ${status === "failed" ? "bad" : ""}`}>${status}</span>`;
  }
  if (result?.clean === false) return html`<span class="outcome bad">found differences</span>`;
  return html`<span class="outcome good">${result?.clean ? "nothing differs" : "done"}</span>`;
}

/** Such as `Dry run of a rebuild of sql in orders`. */
export function titleOf({ operation, projection, collection, dry_run: isDryRun }) {
  const what = operation === "verify" ? "Verification" : isDryRun ? "Dry run of a rebuild" : "Rebuild";
  return [what, projection && ` of ${projection}`, collection && ` in ${collection}`]
    .filter(Boolean)
    .join("");
}

/** When it was started, by whom, and where. */
function startOf({ started, started_by: by, host }) {
  return `started ${localTime(started)}${by ? ` by ${by}` : ""} on ${host}`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
