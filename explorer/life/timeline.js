/** The versions of an item as a list, newest first: what each did, when, who, what it changed. */

import { href } from "../address.js";
import { html } from "../html.js";
import { ChangeWords } from "./change_words.js";
import { WINDOW } from "./history.js";
import { Time } from "../parts/time.js";
import { Type } from "../parts/type.js";

/** The window around the version that is shown. `against` is the one it is compared with. */
export function Timeline({ history, version, against }) {
  const rows = history.rows(version);
  const { collection, id, count } = history;
  const to = (number) => href("life", { collection, id, version: number });
  const [newest, oldest] = [rows[0]?.version ?? version, rows.at(-1)?.version ?? version];
  return html`
    <div class="scroller">
      <table class="timeline">
        <caption>Versions ${oldest.toLocaleString("en")} to ${newest.toLocaleString("en")} of ${count.toLocaleString("en")}</caption>
        <thead>
          <tr>
            <th scope="col">Version</th><th scope="col">What</th><th scope="col">When</th>
            <th scope="col">Who</th><th scope="col">Changed</th>
            <th scope="col"><span class="unseen">Compare</span></th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => html`
            <${Row} key=${row.version} row=${row} history=${history} version=${version}
              against=${against} />
          `)}
        </tbody>
      </table>
    </div>
    <nav class="pager" aria-label="Pages of versions">
      <span class="actions">
        ${newest < count && html`<a class="button" href=${to(Math.min(count, newest + WINDOW))}>Later versions</a>`}
        ${oldest > 1 && html`<a class="button" href=${to(oldest - 1)}>Earlier versions</a>`}
      </span>
    </nav>
  `;
}

function Row({ row, history, version, against }) {
  const { collection, id } = history;
  const { event } = row;
  const before = history.eventBefore(row.version);
  const isShown = row.version === version;
  const isOther = row.version === against;
  const compared = href("life", { collection, id, version, against: row.version });
  return html`
    <tr class=${isShown ? "shown" : isOther ? "other" : ""} aria-current=${isShown ? "true" : null}>
      <th scope="row"><a href=${href("life", { collection, id, version: row.version })}>${row.version}</a></th>
      <td>${row.isGone ? html`<span class="muted">removed from the log</span>` : html`<${Type} of=${row.type} />`}</td>
      <td>${!row.isGone && html`<${Time} at=${row.time} />`}</td>
      <td>${event?.actor && html`<bdi>${event.actor}</bdi>`}</td>
      <td class="changed">${event && before !== undefined && html`<${ChangeWords} before=${before?.body} after=${event.body} />`}</td>
      <td class="number">
        ${isShown
          ? html`<span class="muted">shown</span>`
          : html`<a href=${compared} aria-label=${`Compare version ${version} with version ${row.version}`}>
              ${isOther ? "compared" : "compare"}
            </a>`}
      </td>
    </tr>
  `;
}
