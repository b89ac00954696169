/** One collection in the table of all. */

import { href } from "../address.js";
import { html } from "../html.js";
import { ask } from "../http.js";
import { may } from "../session.js";
import { DayBars } from "./day_bars.js";
import { useLoaded } from "../parts/loading.js";
import { bytes } from "../parts/quantity.js";
import { Time } from "../parts/time.js";

/** `stats` are the collection's in `/stats`, as soon as they are there; `hasStats`: whether they come. */
export function CollectionRow({ name, stats, hasStats }) {
  const total = useLoaded(
    async (signal) => (await ask(`/${name}`, { query: { limit: 1 }, signal })).plain.total,
    [name],
  );
  return html`
    <tr>
      <th scope="row"><a href=${href("items", { collection: name })}>${name}</a></th>
      <td class="number">${total.error ? html`<span title=${total.error.message}>unknown</span>` : shown(total.value)}</td>
      ${hasStats && html`
        <td class="number">${shown(stats?.events)}</td>
        <td class="number roomy">${stats && bytes(stats.bytes)}</td>
        <td class="roomy">${stats && html`<${DayBars} days=${stats.days} />`}</td>
        <td class="roomy">${stats?.events > 0 && html`<${Time} at=${timeOf(stats.position)} />`}</td>
      `}
      ${may("writer") && html`
        <td class="number"><a href=${href("edit", { collection: name })}>New item<span class="unseen"> in ${name}</span></a></td>
      `}
    </tr>
  `;
}

function shown(number) {
  return number?.toLocaleString("en");
}

/** A position begins with the time of its event, in milliseconds. */
function timeOf(position) {
  return new Date(parseInt(position)).toISOString();
}
