/** What a version changed, in a few words. */

import { html, useMemo } from "../html.js";
import { print } from "../json_text.js";
import { differences, isReordered } from "../difference/comparison.js";
import { visible } from "../parts/visible.js";

const SHOWN = 3;
const LONGEST = 24;

/** `before` and `after` are bodies, undefined for none. */
export function ChangeWords({ before, after }) {
  const found = useMemo(() => differences(before, after), [before, after]);
  if (after === undefined) return null;
  if (before === undefined) return html`<bdi dir="ltr" class="muted">${cut(print(after), 3 * LONGEST)}</bdi>`;
  if (!found.length) {
    return html`<span class="muted">${isReordered(before, after) ? "the order of members" : "nothing"}</span>`;
  }
  return html`
    <ul class="changes">
      ${found.slice(0, SHOWN).map((each) => html`<li><${Words} ...${each} /></li>`)}
      ${found.length > SHOWN && html`<li class="muted">and ${found.length - SHOWN} more</li>`}
    </ul>
  `;
}

function Words({ pointer, kind, before, after }) {
  const place = html`<bdi dir="ltr" class="mono">${cut(pointer.slice(1) || "the whole body", 2 * LONGEST)}</bdi>`;
  if (kind === "added") return html`${place} added: <bdi dir="ltr">${cut(print(after))}</bdi>`;
  if (kind === "removed") return html`${place} removed`;
  return html`
    ${place} <bdi dir="ltr">${cut(print(before))}</bdi>
    <span aria-hidden="true"> → </span><span class="unseen"> to </span>
    <bdi dir="ltr">${cut(print(after))}</bdi>
  `;
}

function cut(json, most = LONGEST) {
  const text = visible(json);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
