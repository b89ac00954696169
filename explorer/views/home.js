/** The collections of the store. */

import { href } from "../address.js";
import { html } from "../html.js";
import { ask } from "../http.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { useAccess } from "../session.js";

/** Each collection, and how many items it has. */
export default function Home() {
  const { collections } = useAccess();
  const totals = useLoaded(
    (signal) => Promise.all(collections.map((name) => totalOf(name, signal))),
    [collections.join()],
  );
  return html`
    <h1>Collections</h1>
    <${Loaded} of=${totals}>${(found) => html`
      <ul>
        ${collections.map((name, at) => html`
          <li><a href=${href("items", { collection: name })}>${name}</a> ${found[at]}</li>
        `)}
      </ul>
    `}<//>
  `;
}

async function totalOf(name, signal) {
  const answer = await ask(`/${name}`, { query: { limit: 1 }, signal });
  return answer.plain.total;
}
