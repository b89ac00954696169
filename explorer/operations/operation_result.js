/** What came of a rebuild, or of a verification: its receipt or its verdict, for reading. */

import { html } from "../html.js";
import { Position } from "../parts/position.js";
import { listed, whatDiffered } from "./projections_table.js";

/** An operation that has ended, whole. */
export function OperationResult({ operation }) {
  const { status, error, result, operation: kind } = operation;
  if (status === "failed") return html`<p>${error}</p>`;
  if (status === "cancelled") return html`<p>It was cancelled, and changed nothing.</p>`;
  const Shown = kind === "verify" ? Verdict : Receipt;
  const each = Object.entries(result.collections ?? {});
  if (!each.length) return html`<${Shown} of=${result} />`;
  return html`
    ${kind === "verify" && html`<${Verdict} of=${result} />`}
    ${each.map(([name, one]) => html`<h4>${name}</h4><${Shown} of=${one} />`)}
  `;
}

function Receipt({ of }) {
  return html`
    <p>${of.dry_run ? "Nothing was changed. " : ""}${isSame(of) ? "Nothing differed from the log." : `${capital(whatDiffered(of))}.`}</p>
    <dl class="facts">
      <dt>Events</dt>
      <dd>${counted(of.events)}${of.first && html`, <span class="mono">${of.first}</span> to <span class="mono">${of.last}</span>`}</dd>
      ${of.skipped > 0 && html`<dt>Skipped</dt><dd>${counted(of.skipped)} entries of the log that are not events</dd>`}
      <dt>${"numbers" in of.different ? "Numbers" : "Items"}</dt><dd>${counted(of.items)}</dd>
      ${of.partitions && html`<dt>Partitions</dt><dd>${ofPartitions(of.partitions)}</dd>`}
      <dt>Took</dt><dd>${of.seconds.toFixed(2)} s, ${counted(of.rate)} events a second</dd>
      <dt>Digest</dt><dd class="mono">${of.digest_after}</dd>
      ${of.digest_before !== of.digest_after && html`<dt>Digest before</dt><dd class="mono">${of.digest_before}</dd>`}
      ${of.examples.length > 0 && html`<dt>Such as</dt><dd>${of.examples.map((each) => html`<bdi class="id example">${each}</bdi>`)}</dd>`}
    </dl>
  `;
}

/** How many there are, and in which of them something differed. */
function ofPartitions(partitions) {
  const differing = partitions.filter((each) => !(each.clean ?? isSame(each)));
  if (!differing.length) return `${partitions.length}, in each of which all is right`;
  return `${partitions.length}; it differed in ${differing.map(({ partition }) => partition).join(", ")}`;
}

function isSame({ different }) {
  return !Object.values(different).some(Boolean);
}

function Verdict({ of }) {
  const kinds = Object.entries(of.counted);
  return html`
    <p>${of.clean
      ? "Everything is what the log says."
      : `It differs from what the log says: ${listed(kinds)}. ${advice(of.counted)}`}</p>
    <dl class="facts">
      <dt>Events</dt><dd>${counted(of.events)}, up to <${Position} of=${of.position} /></dd>
      <dt>Items</dt><dd>${counted(of.items)}</dd>
      ${of.partitions && html`<dt>Partitions</dt><dd>${ofPartitions(of.partitions)}</dd>`}
      <dt>Digest</dt><dd class="mono">${of.digest}</dd>
      ${Object.entries(of.not_compared ?? {}).map(([name, reason]) => html`
        <dt>Not compared</dt><dd>${name}: ${reason}</dd>
      `)}
    </dl>
    ${of.differences.length > 0 && html`<${Differences} of=${of} />`}
  `;
}

/** What to do about differences, by where they are. */
function advice({ log, archive, ...mendable }) {
  return [
    log && "No rebuild mends what is wrong in the log itself: restore a backup.",
    archive && "Put the files of the archive back as they were.",
    Object.keys(mendable).length > 0 && "A rebuild puts right what is built from the log.",
  ].filter(Boolean).join(" ");
}

function Differences({ of: { counted: kinds, differences } }) {
  const total = Object.values(kinds).reduce((sum, count) => sum + count, 0);
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="What differs">
      <table>
        <caption>${total > differences.length ? `The first ${differences.length} of ${counted(total)}` : "What differs"}</caption>
        <thead><tr>
          <th scope="col">Where</th><th scope="col">What</th><th scope="col">Is</th><th scope="col">Should be</th>
        </tr></thead>
        <tbody>
          ${differences.map(({ collection, partition, where, name, found, expected }) => html`
            <tr>
              <td>${placeOf(collection, partition, where)}</td>
              <th scope="row"><bdi class="id">${name}</bdi></th>
              <td class="mono">${found}</td><td class="mono">${expected}</td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

/** Such as `orders, partition 3, row`. */
function placeOf(collection, partition, where) {
  const parts = [collection, partition !== undefined && `partition ${partition}`, where];
  return parts.filter(Boolean).join(", ");
}

function counted(number) {
  return number.toLocaleString("en");
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
