/** The events that a projection has set aside: why, and what an admin may do about them. */

import { href } from "../address.js";
import { html, useRef, useState } from "../html.js";
import { ask } from "../http.js";
import { Failure } from "../parts/failure.js";
import { Id } from "../parts/id.js";
import { Polled, usePolled } from "../parts/polling.js";
import { counted } from "../parts/quantity.js";
import { useSending } from "../parts/sending.js";
import { Time } from "../parts/time.js";
import { Type } from "../parts/type.js";
import { DropDeadLetters } from "./drop_dead_letters.js";

const WHILE_TRIED = 1;
const USUALLY = 5;
const LIMIT = 20;

/**
 * A page of them, the oldest first. `count` is how many there were lately: when it changes they are
 * asked for again. `onDone` is called with a sentence when something was done.
 */
export function DeadLetters({ projection, count, onDone }) {
  const path = `/admin/projections/${encodeURIComponent(projection)}/dead-letters`;
  const [after, setAfter] = useState(null);
  const [dropped, setDropped] = useState(null);
  const { isSending, error, send } = useSending();
  const [seconds, setSeconds] = useState(USUALLY);
  const caption = useRef();
  const polled = usePolled(async (signal) => {
    const page = (await ask(path, { query: { limit: LIMIT, after }, signal })).plain;
    setSeconds(page.dead_letters.some(({ again }) => again) ? WHILE_TRIED : USUALLY);
    return page;
  }, seconds, [after, count]);
  const done = (sentence) => {
    onDone(sentence);
    polled.again();
  };
  const retry = async (which) => {
    const sent = { method: "POST", body: JSON.stringify(which) };
    const { count: found } = (await ask(`${path}/retry`, sent)).plain;
    done(`${counted(found, "event")} will be tried again within seconds.`);
  };
  const turnTo = (place) => {
    setAfter(place);
    caption.current.focus();
  };
  return html`
    <${Polled} of=${polled}>${({ dead_letters: letters, next, total }) => html`
      <h4 tabindex="-1" ref=${caption}>Set aside: ${counted(total, "event")}</h4>
      <p class="actions">
        <button type="button" disabled=${isSending} aria-label=${`Retry all of ${projection}`}
          onClick=${() => send(() => retry({ all: true }))}>Retry all</button>
        <button type="button" class="danger" aria-label=${`Drop all of ${projection}`}
          onClick=${() => setDropped({ all: true })}>Drop all</button>
      </p>
      ${error && html`<${Failure} error=${error} />`}
      <${Letters} of=${letters} label=${`Set aside by ${projection}`} isSending=${isSending}
        onRetry=${(id) => send(() => retry({ ids: [id] }))} onDrop=${(id) => setDropped({ ids: [id] })} />
      ${(after ?? next) !== null && html`<p class="actions">
        ${after !== null && html`<button type="button" onClick=${() => turnTo(null)}>First page</button>`}
        ${next !== null && html`<button type="button" onClick=${() => turnTo(next)}>Next page</button>`}
      </p>`}
    `}<//>
    ${dropped && html`
      <${DropDeadLetters} path=${path} which=${dropped} projection=${projection}
        onClose=${() => setDropped(null)} onDropped=${done} />
    `}
  `;
}

function Letters({ of, label, isSending, onRetry, onDrop }) {
  if (!of.length) return html`<p class="empty">There are none on this page any more.</p>`;
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label=${label}>
      <table class="dead-letters">
        <thead><tr>
          <th scope="col">Event</th>
          <th scope="col">Why</th>
          <th scope="col" class="number">Tries</th>
          <th scope="col">When</th>
          <th scope="col"><span class="unseen">Retry or drop</span></th>
        </tr></thead>
        <tbody>
          ${of.map((letter) => html`
            <tr key=${letter.id}>
              <th scope="row"><${EventOf} letter=${letter} /></th>
              <td><bdi>${letter.reason}</bdi></td>
              <td class="number">${letter.tries.toLocaleString("en")}</td>
              <td><${Time} at=${letter.time} /></td>
              <td><div class="actions">
                ${letter.again
                  ? html`<span class="muted">is tried again</span>`
                  : html`<button type="button" disabled=${isSending} aria-label=${`Retry ${letter.id}`}
                      onClick=${() => onRetry(letter.id)}>Retry</button>`}
                <button type="button" class="danger" aria-label=${`Drop ${letter.id}`}
                  onClick=${() => onDrop(letter.id)}>Drop</button>
              </div></td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

/** Which event it is: where it is in the log, what it did, and to which version of which item. */
function EventOf({ letter: { id, type, item, version, collection } }) {
  return html`
    <a class="mono" href=${href("log", { event: id })}>${id}</a> <${Type} of=${type} />
    <div>${collection} <a href=${href("life", { collection, id: item, version })}><${Id} id=${item} /></a>, version ${version}</div>
  `;
}
