/** The form that starts a rebuild or a verification. */

import { html, useState } from "../html.js";
import { ask } from "../http.js";
import { useAccess } from "../session.js";
import { Failure } from "../parts/failure.js";
import { Field } from "../parts/field.js";
import { useSending } from "../parts/sending.js";

const MEANINGS = {
  verify: "Compares what is there with the log. It changes nothing.",
  rebuild: "Builds it again from the log, beside what is live, and puts it in place at the end.",
  dry: "Does all that a rebuild does but put it in place, and says what would differ.",
};

/** What every store has, whether or not it can say how far they are. */
const BUILT_IN = ["current-items", "statistics"];
const READ_MODEL = "sql";

/** `projections` as in `/projections`; `isBusy` while one runs, for there is one at a time. */
export function StartOperation({ projections, isBusy, onStart }) {
  const { collections, queries: hasReadModel } = useAccess();
  const builtIn = hasReadModel ? [...BUILT_IN, READ_MODEL] : BUILT_IN;
  const names = [...new Set([...builtIn, ...projections.map(({ name }) => name)])];
  const [kind, setKind] = useState("verify");
  const [projection, setProjection] = useState(BUILT_IN[0]);
  const [collection, setCollection] = useState("");
  const { isSending, error, send } = useSending();
  const isRebuild = kind !== "verify";

  const start = (event) => {
    event.preventDefault();
    const body = { operation: isRebuild ? "rebuild" : "verify" };
    if (isRebuild) Object.assign(body, { projection, dry_run: kind === "dry" });
    if (collection) body.collection = collection;
    send(() => ask("/admin/operations", { method: "POST", body: JSON.stringify(body) })).then(onStart);
  };

  return html`
    <form class="bar" onSubmit=${start}>
      <${Choice} id="kind" label="What to do" value=${kind} onChoose=${setKind} choices=${{
        verify: "Verify",
        dry: "Rebuild, as a dry run",
        rebuild: "Rebuild",
      }} />
      ${isRebuild && html`
        <${Choice} id="projection" label="Projection" value=${projection} onChoose=${setProjection}
          choices=${Object.fromEntries(names.map((name) => [name, name]))} />
      `}
      ${collections.length > 1 && html`
        <${Choice} id="collection" label="Collection" value=${collection} onChoose=${setCollection} choices=${{
          "": "all",
          ...Object.fromEntries(collections.map((name) => [name, name])),
        }} />
      `}
      <button class="primary" disabled=${isBusy || isSending}>${isRebuild ? "Rebuild" : "Verify"}</button>
    </form>
    <p class="hint">${MEANINGS[kind]}${isBusy ? " One runs already, and there is one at a time." : ""}</p>
    ${error && html`<${Failure} error=${error} />`}
  `;
}

function Choice({ id, label, value, onChoose, choices }) {
  return html`
    <${Field} id=${id} label=${label}>${(own) => html`
      <select ...${own} value=${value} onChange=${(event) => onChoose(event.target.value)}>
        ${Object.entries(choices).map(([each, text]) => html`<option value=${each}>${text}</option>`)}
      </select>
    `}<//>
  `;
}
