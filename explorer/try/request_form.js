/** Composes a request: method, path, header fields, body. */

import { METHODS } from "./exchange.js";
import { html, useEffect, useState } from "../html.js";
import { ask } from "../http.js";
import { may } from "../session.js";
import { Field } from "../parts/field.js";
import { HeaderChoices } from "./header_choices.js";

const ONLY_READ = new Set(["GET", "HEAD", "OPTIONS"]);

/** `request` is `{method, path, headers, body}`, texts all; `onChange` gets what is to change. */
export function RequestForm({ request, onChange, onSend, onStop, isBusy }) {
  const { method, path, headers, body } = request;
  const set = (name) => (event) => onChange({ [name]: event.target.value });
  const methods = METHODS.filter((each) => may("writer") || ONLY_READ.has(each));
  const hasBody = method !== "GET" && method !== "HEAD";
  const send = (event) => {
    event.preventDefault();
    onSend();
  };
  return html`
    <form class="request" onSubmit=${send}>
      <div class="bar">
        <${Field} id="method" label="Method">${(own) => html`
          <select ...${own} value=${method} onChange=${set("method")}>
            ${methods.map((each) => html`<option>${each}</option>`)}
          </select>
        `}<//>
        <${Field} id="path" label="Path" grows>${(own) => html`
          <input ...${own} class="mono" required pattern="/[^\\{\\}\\s]*" list="paths" spellcheck=${false} autocomplete="off"
            title="It begins with a slash. Put an id in place of {id}, percent-encoded." value=${path} onInput=${set("path")} />
        `}<//>
        <button class="primary" disabled=${isBusy}>Send</button>
        <button type="button" class="danger" disabled=${!isBusy} onClick=${onStop}>Stop</button>
        <${Paths} />
      </div>
      <${HeaderChoices} method=${method} path=${path} lines=${headers} onChange=${(lines) => onChange({ headers: lines })} />
      <${Field} id="headers" label="Header fields"
        hint="One a line, as in Accept: application/json. The token is sent by itself.">${(own) => html`
        <textarea ...${own} class="mono" rows="3" spellcheck=${false} value=${headers} onInput=${set("headers")}></textarea>
      `}<//>
      ${hasBody && html`
        <${Field} id="body" label="Body">${(own) => html`
          <textarea ...${own} class="mono" rows="6" spellcheck=${false} dir="auto" value=${body} onInput=${set("body")}></textarea>
        `}<//>
      `}
    </form>
  `;
}

/** The API's own paths, offered while one types. */
function Paths() {
  const [paths, setPaths] = useState([]);
  useEffect(() => {
    const abort = new AbortController();
    const take = (answer) => setPaths(Object.keys(answer.plain.paths));
    ask("/openapi.json", { signal: abort.signal }).then(take, () => {}); // only an offer
    return () => abort.abort();
  }, []);
  return html`<datalist id="paths">${paths.map((each) => html`<option value=${each} />`)}</datalist>`;
}
