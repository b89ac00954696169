/** An item as it was at a date, and what changed since. */

import { go, href } from "../address.js";
import { html } from "../html.js";
import { ask, itemPath } from "../http.js";
import { versionOf } from "../items/item_requests.js";
import { Difference } from "../difference/difference.js";
import { History } from "../life/history.js";
import { Id } from "../parts/id.js";
import { Json } from "../parts/json.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { MomentForm } from "../life/moment_form.js";
import { counted } from "../parts/quantity.js";
import { dateOf, textOf } from "../life/rfc3339.js";
import { Tabs } from "../parts/tabs.js";
import { Time } from "../parts/time.js";
import { useTitle } from "../parts/title.js";
import { Trail } from "../parts/trail.js";

const HOUR_MS = 3_600_000;

const AGO = [
  ["an hour ago", HOUR_MS],
  ["a day ago", 24 * HOUR_MS],
  ["a week ago", 7 * 24 * HOUR_MS],
  ["30 days ago", 30 * 24 * HOUR_MS],
];

/** `at` is an RFC 3339 text; without it a date is asked for. */
export default function Past({ collection, id, at = "" }) {
  useTitle(`Past of ${id} · ${collection}`);
  const choose = (text) => go("past", { collection, id, at: text });
  return html`
    <div class="heading">
      <${Trail} collection=${collection} />
      <h1>Past of <${Id} id=${id} /></h1>
    </div>
    <${Tabs} collection=${collection} id=${id} current="past" />
    <${MomentForm} at=${at} onChoose=${choose} />
    <${Shortcuts} collection=${collection} id=${id} />
    ${dateOf(at) && html`<${AsItWas} key=${`${collection} ${id}`} collection=${collection} id=${id} at=${at} />`}
  `;
}

function Shortcuts({ collection, id }) {
  const now = Math.floor(Date.now() / 1000) * 1000;
  return html`
    <p class="muted">
      As it was
      ${AGO.map(([words, past], place) => html`${place ? ", " : " "}<a
        href=${href("past", { collection, id, at: textOf(new Date(now - past)) })}>${words}</a>`)}
    </p>
  `;
}

function AsItWas({ collection, id, at }) {
  const found = useLoaded((signal) => looked(collection, id, dateOf(at), signal), [at]);
  return html`
    <div aria-live="polite" aria-busy=${found.isLoading}>
      <${Loaded} of=${found}>${(value) => html`<${Answer} ...${value} />`}<//>
    </div>
  `;
}

/** What the store has for the date, and what surrounds that in the item's life. */
async function looked(collection, id, date, signal) {
  const { version, body } = await versionAt(collection, id, date, signal);
  const history = await new History(collection, id).begin(signal);
  const event = await history.event(version, signal);
  const next = version < history.count ? await history.event(version + 1, signal) : null;
  return { history, date, event, body, next };
}

/** The version that was current then, and its body; undefined where the item was deleted. */
async function versionAt(collection, id, date, signal) {
  const headers = { "Accept-Datetime": date.toUTCString() };
  try {
    const answer = await ask(itemPath(collection, id), { headers, signal });
    return { version: versionOf(answer), body: answer.value };
  } catch (error) {
    if (error.kind !== "item-deleted") throw error;
    return { version: error.problem.version, body: undefined };
  }
}

function Answer({ history, date, event, body, next }) {
  const { collection, id, count, newest } = history;
  const there = href("life", { collection, id, version: event.version });
  const isBefore = new Date(event.time).getTime() >= date.getTime() + 1000;
  const isFuture = date.getTime() > Date.now();
  return html`
    ${isBefore && html`
      <p class="caution">
        The item did not exist at <${Time} at=${textOf(date)} />: its first version came later, at
        ${" "}<${Time} at=${event.time} />. The store shows the first version for all times before it.
      </p>
    `}
    ${isFuture && html`<p class="caution">This is in the future: what is there now is shown.</p>`}
    <div class="sides">
      <section>
        <h2>${isBefore ? "Its first version" : body === undefined ? "It was deleted" : "As it was"}</h2>
        <dl class="facts">
          <dt>Version</dt><dd><a href=${there}>${event.version} in its life</a>, of ${count}</dd>
          <dt>${body === undefined ? "Deleted" : "From"}</dt>
          <dd><${Time} at=${event.time} />${event.actor && html` by <bdi>${event.actor}</bdi>`}</dd>
          <dt>Until</dt>
          <dd>${next?.isGone ? "a time that was removed from the log" : next
            ? html`<${Time} at=${next.time} />${next.actor && html` by <bdi>${next.actor}</bdi>`}`
            : "now: nothing was written since"}</dd>
        </dl>
        ${body === undefined
          ? html`<p class="empty">Version ${event.version} deleted the item: it had no body then.</p>`
          : html`<${Json} value=${body} />`}
      </section>
      <section>
        <h2>What changed since ${isBefore ? "its first version" : "then"}</h2>
        ${next === null
          ? html`<p class="muted">Nothing was written since.</p>`
          : html`<${Since} history=${history} newest=${newest} event=${event} body=${body} />`}
      </section>
    </div>
  `;
}

function Since({ history, newest, event, body }) {
  const { collection, id } = history;
  const address = { collection, id, version: newest.version, against: event.version };
  return html`
    <p>
      <a href=${href("life", address)}>Both in its life</a>: version ${newest.version} is the newest,
      ${" "}${counted(newest.version - event.version, "write")} later.
      ${newest.body === undefined && " It deleted the item."}
    </p>
    <${Difference} before=${body} after=${newest.body}
      label=${`From version ${event.version} to version ${newest.version}`} />
  `;
}
