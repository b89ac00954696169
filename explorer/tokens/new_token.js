/** Makes a token, and shows its secret once. */

import { html, useEffect, useRef, useState } from "../html.js";
import { ask } from "../http.js";
import { useAccess } from "../session.js";
import { Copy } from "../parts/copy.js";
import { Failure } from "../parts/failure.js";
import { Field } from "../parts/field.js";
import { errorsAt, errorsIn } from "../parts/problem_places.js";
import { useSending } from "../parts/sending.js";

const NOTHING = { name: "", role: "reader", collections: [], prefixes: "", expires: "" };
const ROLES = {
  reader: "reader: may look",
  writer: "writer: may look and write",
  admin: "admin: may do all, tokens and operations too",
};

/** The form, and the token that was made last until it is put away. */
export function NewToken({ onMade }) {
  const [wanted, setWanted] = useState(NOTHING);
  const [made, setMade] = useState(null);
  const { isSending, error, send } = useSending();
  const make = (event) => {
    event.preventDefault();
    send(async () => {
      const answer = await ask("/admin/tokens", { method: "POST", body: bodyOf(wanted) });
      setMade(answer.plain);
      setWanted(NOTHING);
      onMade();
    });
  };
  return html`
    ${made && html`<${Secret} of=${made} onDone=${() => setMade(null)} />`}
    <h2>Make a token</h2>
    <form key=${made?.token} onSubmit=${make}>
      <${Fields} wanted=${wanted} onChange=${setWanted} errors=${errorsIn(error)} />
      ${error && html`<${Failure} error=${error} />`}
      <button class="primary" disabled=${isSending}>Make the token</button>
    </form>
  `;
}

function Fields({ wanted, onChange, errors }) {
  const put = (name) => (event) => onChange({ ...wanted, [name]: event.target.value });
  const wrong = (name) => ({ errors: errorsAt(errors, `/${name}`), pointer: `/${name}` });
  return html`
    <div class="bar">
      <${Field} id="name" label="Name" grows ...${wrong("name")}
        hint="Who will use it: events say so. Letters, digits, - and _.">${(own) => html`
        <input ...${own} required pattern="[A-Za-z0-9_\\-]{1,64}" maxlength="64" autocomplete="off" spellcheck=${false}
          title="1 to 64 letters, digits, - or _" value=${wanted.name} onInput=${put("name")} />
      `}<//>
      <${Field} id="role" label="Role" hint="Give the least that will do." ...${wrong("role")}>${(own) => html`
        <select ...${own} value=${wanted.role} onChange=${put("role")}>
          ${Object.entries(ROLES).map(([role, text]) => html`<option value=${role}>${text}</option>`)}
        </select>
      `}<//>
      <${Field} id="expires" label="Expires" hint="By your clock; left empty, never." ...${wrong("expires")}>${(own) => html`
        <input ...${own} type="datetime-local" value=${wanted.expires} onInput=${put("expires")} />
      `}<//>
    </div>
    <${Collections} chosen=${wanted.collections} onChange=${(collections) => onChange({ ...wanted, collections })} />
    <${Field} id="prefixes" label="Prefixes of ids that it is bound to" ...${wrong("prefixes")}
      hint="One a line. Left empty: it is good for all ids.">${(own) => html`
      <textarea ...${own} class="mono" rows="3" spellcheck=${false} dir="auto" value=${wanted.prefixes} onInput=${put("prefixes")}></textarea>
    `}<//>
  `;
}

function Collections({ chosen, onChange }) {
  const { collections } = useAccess();
  const choose = (name) => (event) => {
    const others = chosen.filter((each) => each !== name);
    onChange(event.target.checked ? [...others, name] : others);
  };
  return html`
    <fieldset>
      <legend>Collections that it is bound to</legend>
      <div class="actions">
        ${collections.map((name) => html`
          <label key=${name}>
            <input type="checkbox" checked=${chosen.includes(name)} onChange=${choose(name)} /> ${name}
          </label>
        `)}
      </div>
      <p class="hint">None chosen: it is good for all.</p>
    </fieldset>
  `;
}

/** What is asked for. What is left empty is left out. */
function bodyOf({ name, role, collections, prefixes, expires }) {
  const body = { name, role };
  const lines = prefixes.split("\n").filter((line) => line !== "");
  if (collections.length) body.collections = collections;
  if (lines.length) body.prefixes = lines;
  if (expires) body.expires = new Date(expires).toISOString();
  return JSON.stringify(body);
}

function Secret({ of: { name, token, warning }, onDone }) {
  const place = useRef(null);
  useEffect(() => place.current.focus(), [token]);
  return html`
    <section class="done" tabindex="-1" ref=${place} aria-label="The new token">
      <h2>The token ${name} was made</h2>
      <p>This is the whole token. Keep it now: it will not be shown again.</p>
      <pre class="secret">${token}</pre>
      ${warning && html`<p>${warning}</p>`}
      <div class="actions">
        <${Copy} text=${token} label="Copy the token" />
        <button type="button" onClick=${onDone}>I have it</button>
      </div>
    </section>
  `;
}
