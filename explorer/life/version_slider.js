/** The way through an item's time: a slider over its versions. */

import { html } from "../html.js";
import { localTime, Time } from "../parts/time.js";
import { Type } from "../parts/type.js";

/** So many deletions are named; the others are marks on the slider. */
const NAMED = 5;

/**
 * `version` of `count` is chosen; `event` is the one that made it, undefined until it is known;
 * `deletions` are the versions in which the item was deleted, as far as that is known.
 * `onChoose` gets another version, also very often while one drags.
 */
export function VersionSlider({ version, count, event, deletions, onChoose }) {
  const choose = (input) => {
    const number = Number(input.target.value);
    if (Number.isInteger(number) && number >= 1 && number <= count) onChoose(number);
  };
  const isThere = event && !event.isGone;
  const spoken = isThere ? `, ${wordOf(event)} ${localTime(event.time)}` : "";
  return html`
    <section class="through-time" aria-label="Through time">
      <div class="where">
        <label>Version
          <input type="number" min="1" max=${count} value=${version} onChange=${choose} />
        </label>
        <span>of ${count.toLocaleString("en")}</span>
        ${isThere && html`
          <span class="what">
            <${Type} of=${event.type} /> <${Time} at=${event.time} />
            ${event.actor && html`<span>by <bdi>${event.actor}</bdi></span>`}
          </span>
        `}
      </div>
      <div class="slide">
        <button type="button" aria-label="One version earlier" disabled=${version <= 1}
          onClick=${() => onChoose(version - 1)}>‹</button>
        <div class="track">
          <input type="range" min="1" max=${count} step="1" value=${version} aria-label="Through time, by versions"
            aria-valuetext=${`Version ${version} of ${count}${spoken}`} onInput=${choose} />
          ${deletions.length > 0 && html`<${Marks} versions=${deletions} count=${count} />`}
        </div>
        <button type="button" aria-label="One version later" disabled=${version >= count}
          onClick=${() => onChoose(version + 1)}>›</button>
      </div>
      ${deletions.length > 0 && html`<${DeletedIn} versions=${deletions} onChoose=${onChoose} />`}
    </section>
  `;
}

function Marks({ versions, count }) {
  const placeOf = (version) => `${count > 1 ? ((version - 1) / (count - 1)) * 100 : 0}%`;
  return html`
    <div class="deletions" aria-hidden="true">
      ${versions.map((each) => html`<span key=${each} style=${{ insetInlineStart: placeOf(each) }} />`)}
    </div>
  `;
}

function DeletedIn({ versions, onChoose }) {
  const more = versions.length - NAMED;
  return html`
    <p class="deleted-in">
      Deleted in ${versions.slice(0, NAMED).map((each) => html`
        <button type="button" class="quiet" onClick=${() => onChoose(each)}>version ${each}</button>
      `)}
      ${more > 0 && html`and ${more.toLocaleString("en")} more`}
    </p>
  `;
}

function wordOf({ type }) {
  return type.replace("Item", "").toLowerCase();
}
