/** Somebody else wrote the item meanwhile: mine, theirs, and what differs. */

import { href } from "../address.js";
import { html, useEffect, useMemo, useRef } from "../html.js";
import { parse } from "../json_text.js";
import { Difference } from "../difference/difference.js";
import { Json } from "../parts/json.js";
import { Time } from "../parts/time.js";

/**
 * `mine` is the JSON that was to be written, null while it can't be; `version` the one that it was
 * based on; `theirs` what itemNow gives now. Both ways out are guarded again.
 */
export function Conflict({ collection, id, mine, version, theirs, isSending, onTheirs, onMine }) {
  const heading = useRef();
  useEffect(() => heading.current.focus(), [theirs]);
  const value = useMemo(() => (mine === null ? null : parse(mine)), [mine]);
  return html`
    <section class="caution conflict" role="alert">
      <h2 ref=${heading} tabindex="-1">${titleOf(theirs, version)}</h2>
      <p>
        ${whatHappened(theirs, version)} Nothing of yours was written, and it is all still below.
      </p>
      ${theirs.exists && html`<${Both} theirs=${theirs} value=${value} />`}
      <p class="actions">
        ${theirs.exists
          ? html`<button type="button" onClick=${onTheirs}>Go on from theirs</button>`
          : html`<a class="button" href=${href("item", { collection, id })}>Leave it as it is</a>`}
        <button type="button" class="primary" disabled=${isSending || mine === null}
          onClick=${onMine}>
          ${theirs.exists ? "Put mine over theirs" : "Create it with mine"}
        </button>
      </p>
    </section>
  `;
}

/** What differs, and each of them whole. `value` is mine, null while it is not JSON. */
function Both({ theirs, value }) {
  const label = "What yours would change of theirs";
  if (value === null) return html`<p>Yours is not JSON yet.</p>`;
  return html`
    <${Difference} before=${theirs.value} after=${value} label=${label} />
    <div class="both">
      <details><summary>Mine</summary><${Json} value=${value} /></details>
      <details>
        <summary>Theirs, version ${theirs.version}</summary>
        <${Json} value=${theirs.value} />
      </details>
    </div>
  `;
}

function titleOf(theirs, version) {
  if (!theirs.exists) return "Somebody deleted this item meanwhile";
  if (version === null) return "There is an item with this id already";
  return "Somebody changed this item meanwhile";
}

function whatHappened({ exists, version, event, isDeleted }, mine) {
  const who = event?.actor && html`, <bdi>${event.actor}</bdi>`;
  const when = event && html` (<${Time} at=${event.time} />${who})`;
  const base = mine === null ? "you had found none" : `yours began with version ${mine}`;
  if (exists) return html`It is at version ${version} now${when}; ${base}.`;
  if (isDeleted) return html`Version ${version} deleted it${when}; ${base}.`;
  return html`It is not there any more; ${base}.`;
}
