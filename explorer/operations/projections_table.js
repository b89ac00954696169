/** The read models: how far each is, and when it was last rebuilt. */

import { html } from "../html.js";
import { Position } from "../parts/position.js";
import { Time } from "../parts/time.js";

/** What `/projections` says: a table, a row for each read model of each collection. */
export function ProjectionsTable({ projections }) {
  const hasCollections = projections.some(({ collection }) => collection !== undefined);
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Projections">
      <table>
        <thead>
          <tr>
            ${hasCollections && html`<th scope="col">Collection</th>`}
            <th scope="col">Projection</th>
            <th scope="col">Position</th>
            <th scope="col" class="number">Events behind</th>
            <th scope="col" class="number">Rows</th>
            <th scope="col">Last rebuild</th>
          </tr>
        </thead>
        <tbody>
          ${projections.map((each) => html`
            <tr key=${`${each.collection} ${each.name}`}>
              ${hasCollections && html`<td>${each.collection}</td>`}
              <th scope="row">${each.name}</th>
              <td>${each.position !== null ? html`<${Position} of=${each.position} />` : html`<${Away} partitions=${each.partitions} />`}</td>
              <td class="number">${inWords(each.lag)}<${Behind} partitions=${each.partitions} /></td>
              <td class="number">${inWords(each.rows)}</td>
              <td class="last-rebuild"><${LastRebuild} receipt=${each.last_rebuild} /></td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

/** Which partitions are away, so that nothing can be summed. */
function Away({ partitions }) {
  const away = partitions.filter(({ reason }) => reason !== undefined);
  const numbers = away.map(({ partition }) => partition).join(", ");
  return html`<span class="muted">not known: away ${away.length > 1 ? "are partitions" : "is partition"} ${numbers}</span>`;
}

function inWords(count) {
  return count === null ? "unknown" : count.toLocaleString("en");
}

const NAMED = 3;

/** Which of several partitions are behind, those first that are so the most. */
function Behind({ partitions = [] }) {
  const behind = partitions.filter(({ lag }) => lag > 0).sort((one, two) => two.lag - one.lag);
  if (!behind.length) return null;
  const named = listed(behind.slice(0, NAMED).map(({ partition, lag }) => [partition, lag]));
  const others = behind.length - NAMED;
  return html`<br /><span class="muted">partition ${named}${others > 0 && ` and ${others} more`}</span>`;
}

function LastRebuild({ receipt }) {
  if (receipt === null) return html`<span class="muted">none</span>`;
  return html`<${Time} at=${receipt.started} />, ${whatDiffered(receipt)}`;
}

/** In words: what a rebuild found to differ, by kind. */
export function whatDiffered({ different }) {
  const kinds = Object.entries(different).filter(([, count]) => count);
  if (!kinds.length) return "nothing differed";
  return `differed: ${listed(kinds)}`;
}

/** Pairs of a name and a count in words: `rows (2), keys (1)`. */
export function listed(pairs) {
  return pairs.map(([name, count]) => `${name} (${count.toLocaleString("en")})`).join(", ");
}

/** The read model that queries are answered from: who follows, what is indexed and searched. */
export function QueriesState({ projections }) {
  const readModels = projections.filter(({ following }) => following !== undefined);
  if (!readModels.length) {
    return html`<p class="muted">Queries are turned off in this store.</p>`;
  }
  return html`
    <p>${readModels.some(({ following }) => following)
      ? "A process follows the log for queries."
      : "No process follows the log for queries now: what they find grows old."}</p>
    <dl class="facts">
      ${readModels.map(({ collection = "items", indexes, texts }) => html`
        <dt>${collection}</dt>
        <dd>Indexed: <${Paths} made=${indexes} />. Searched for words: <${Paths} made=${texts} />.</dd>
      `)}
    </dl>
  `;
}

function Paths({ made }) {
  const paths = Object.entries(made);
  if (!paths.length) return html`<span class="muted">nothing</span>`;
  return paths.map(([path, isComplete], at) => html`
    ${at > 0 && ", "}<code>${path}</code>${!isComplete && " (being made)"}
  `);
}
