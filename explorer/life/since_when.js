/** Since which version each member of a body is as it is, and who wrote it so. */

import { href } from "../address.js";
import { html, useEffect, useState } from "../html.js";
import { print, same } from "../json_text.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { Time } from "../parts/time.js";
import { visible } from "../parts/visible.js";

/** So many versions are looked at, and so many more each time one asks for more. */
const STEP = 250;

/** About so many characters of bodies are looked at each time: of large ones fewer versions. */
const CHARACTERS = 10_000_000;

const MEMBERS_SHOWN = 100;
const LONGEST_VALUE = 60;

/** What can be opened: nothing is looked for before. `event` made the version that is shown. */
export function SinceWhen({ history, event }) {
  const [isOpen, setIsOpen] = useState(false);
  return html`
    <details class="raw" onToggle=${(toggled) => setIsOpen(toggled.target.open)}>
      <summary>Since when each member is as it is</summary>
      ${isOpen && html`<${Origins} history=${history} event=${event} />`}
    </details>
  `;
}

function Origins({ history, event }) {
  const step = Math.max(5, Math.min(STEP, Math.floor(CHARACTERS / history.typicalLength)));
  const [most, setMost] = useState(step);
  useEffect(() => setMost(step), [event]);
  const found = useLoaded((signal) => origins(history, event, most, signal), [history, event, most]);
  return html`
    <${Loaded} of=${found}>${({ members, lookedTo, isGone }) => html`
      <div class="scroller">
        <table>
          <thead>
            <tr><th scope="col">Member</th><th scope="col">Value</th><th scope="col">Since</th>
              <th scope="col">When</th><th scope="col">Who</th></tr>
          </thead>
          <tbody>
            ${members.slice(0, MEMBERS_SHOWN).map((each) => html`
              <${Member} key=${each.name} ...${each} history=${history} lookedTo=${lookedTo} />
            `)}
          </tbody>
        </table>
      </div>
      ${members.length > MEMBERS_SHOWN && html`
        <p class="muted">And ${(members.length - MEMBERS_SHOWN).toLocaleString("en")} more members.</p>
      `}
      ${isGone && html`<p class="muted">The version before ${lookedTo} was removed from the log.</p>`}
      ${!isGone && members.some((each) => !each.origin) && html`
        <p><button type="button" onClick=${() => setMost(most + step)}>Look further back than version ${lookedTo}</button></p>
      `}
    `}<//>
  `;
}

function Member({ name, value, origin, history, lookedTo }) {
  const { collection, id } = history;
  return html`
    <tr>
      <th scope="row"><bdi dir="ltr" class="mono">${name ?? "the whole body"}</bdi></th>
      <td><bdi dir="ltr" class="mono">${cut(visible(print(value)))}</bdi></td>
      <td>${origin
        ? html`<a href=${href("life", { collection, id, version: origin.version })}>version ${origin.version}</a>`
        : `version ${lookedTo} or earlier`}</td>
      <td>${origin && html`<${Time} at=${origin.time} />`}</td>
      <td>${origin?.actor && html`<bdi>${origin.actor}</bdi>`}</td>
    </tr>
  `;
}

function cut(text) {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/**
 * Goes back from a version until each member was another one: `members` with the event that made
 * it what it is as `origin`, where that was found among `most` versions; the last of which is
 * `lookedTo`, and `isGone` says that the log does not have the one before.
 */
async function origins(history, event, most, signal) {
  const members = membersOf(event.body).map(([name, value]) => ({ name, value, origin: null }));
  let [left, later, isGone] = [members, event, false];
  while (left.length && later.version > 1 && event.version - later.version < most) {
    const earlier = await history.event(later.version - 1, signal);
    isGone = Boolean(earlier.isGone);
    if (isGone) break;
    const before = new Map(membersOf(earlier.body));
    left = left.filter((member) => {
      const isSame = before.has(member.name) && same(before.get(member.name), member.value);
      if (!isSame) member.origin = later;
      return isSame;
    });
    later = earlier;
  }
  if (later.version === 1) for (const member of left) member.origin = later;
  return { members, lookedTo: later.version, isGone };
}

/** A body's members; what is no object is one, without a name. */
function membersOf(body) {
  if (body === undefined) return [];
  return body instanceof Map ? [...body] : [[null, body]];
}
