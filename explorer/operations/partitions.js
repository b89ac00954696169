/** Where the store's partitions are, and which of them take writes: for a store that has several. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { Polled, usePolled } from "../parts/polling.js";

const SECONDS = 5;

/** What `/partitions` says: a table of the nodes, and why partitions take no write. */
export function Partitions() {
  const polled = usePolled((signal) => ask("/partitions", { signal }), SECONDS);
  const known = polled.value?.plain;
  if (known?.partitions.length === 1) return null;
  return html`
    <h2>Partitions</h2>
    <${Polled} of=${polled}>${() => html`
      <p class="muted">${inWords(known.partitions)}</p>
      <${Closed} partitions=${known.partitions.filter(({ writable }) => !writable)} />
      ${known.nodes && html`<${Nodes} nodes=${known.nodes} partitions=${known.partitions} />`}
    `}<//>
  `;
}

function inWords(partitions) {
  const events = partitions.map((each) => each.events).filter((count) => count !== null);
  const sizes = events.length
    ? ` Each has ${number(Math.min(...events))} to ${number(Math.max(...events))} events.`
    : "";
  const open = partitions.filter(({ writable }) => writable).length;
  const says = open === partitions.length ? "all take writes" : `${open} of them take writes now`;
  return `The log is in ${partitions.length} partitions; ${says}.${sizes}`;
}

function Closed({ partitions }) {
  if (!partitions.length) return null;
  const alike = new Map();
  for (const { partition, reason } of partitions) {
    alike.set(reason, [...(alike.get(reason) ?? []), partition]);
  }
  return html`
    <div class="failure" role="status">
      ${[...alike].map(([reason, numbers]) => html`
        <p>No write is taken now in ${numbers.length === 1 ? "partition" : "partitions"} ${numbers.join(", ")}: ${reason}</p>
      `)}
    </div>
  `;
}

function Nodes({ nodes, partitions }) {
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Nodes">
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Role</th>
            <th scope="col">State</th>
            <th scope="col">Partitions</th>
            <th scope="col" class="number">Events</th>
          </tr>
        </thead>
        <tbody>
          ${nodes.map((each) => html`
            <tr key=${each.node}>
              <th scope="row" class="mono">${each.node}</th>
              <td>${each.primary ? html`replica of <span class="mono">${each.primary}</span>` : each.role}</td>
              <td>${stateOf(each)}</td>
              <td>${each.partitions.join(", ")}</td>
              <td class="number">${eventsOf(each, partitions)}</td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function stateOf({ reachable, flags }) {
  return [reachable ? "answers" : "does not answer", ...flags].join(", ");
}

function eventsOf(node, partitions) {
  const own = partitions.filter(({ partition }) => node.partitions.includes(partition));
  if (!own.length) return "";
  return own.some(({ events }) => events === null)
    ? "unknown"
    : number(own.reduce((sum, { events }) => sum + events, 0));
}

function number(count) {
  return count.toLocaleString("en");
}
