/** How the store is: its read models, its archive, its numbers; and what an admin may do about it. */

import { html } from "../html.js";
import { ask } from "../http.js";
import { Handling } from "../operations/handling.js";
import { MetricsPlots } from "../operations/metrics_plots.js";
import { OperationsPanel } from "../operations/operations_panel.js";
import { Partitions } from "../operations/partitions.js";
import { Polled, usePolled } from "../parts/polling.js";
import { ProjectionsTable, QueriesState } from "../operations/projections_table.js";
import { Archive, Readiness } from "../operations/store_state.js";
import { useTitle } from "../parts/title.js";
import { may, useAccess } from "../session.js";

const SECONDS = 5;

/** Each part asks for itself, so that one that is refused hides no other. */
export default function Operations() {
  useTitle("Operations");
  const { access } = useAccess();
  const isWhole = !access.collections && !access.prefixes;
  return html`
    <div class="heading"><h1>Operations</h1></div>
    <h2>Readiness</h2>
    <${Readiness} />
    ${isWhole && html`<${Partitions} />`}
    ${isWhole && html`<h2>Numbers</h2><${MetricsPlots} />`}
    ${access.prefixes
      ? html`<p class="notice">What else there is to see is about the whole store, and this token is bound to a part of it.</p>`
      : html`<${Projections} isOperator=${isWhole && may("admin")} />`}
  `;
}

/** Operations may be started also while `/projections` can't say how far a read model is. */
function Projections({ isOperator }) {
  const polled = usePolled((signal) => ask("/projections", { signal }), SECONDS);
  const known = polled.value?.plain ?? { projections: [] };
  return html`
    <h2>Projections</h2>
    <${Polled} of=${polled}>${() => html`
      <p class="muted">The log has ${known.log.events.toLocaleString("en")} events, up to <span class="mono">${known.log.position}</span>.</p>
      <${ProjectionsTable} projections=${known.projections} />
      <${Handling} projections=${known.projections} isOperator=${isOperator} onDone=${polled.again} />
    `}<//>
    ${isOperator && html`
      <h2>Rebuild and verify</h2>
      <${OperationsPanel} projections=${known.projections} onEnd=${polled.again} />
    `}
    ${polled.value !== undefined && html`
      <h2>Queries</h2>
      <${QueriesState} projections=${known.projections} />
      ${known.archive && html`<h2>Archive</h2><${Archive} archive=${known.archive} />`}
    `}
  `;
}
