/** Projections of the operator's own that handle events: whether they go on, and what they set aside. */

import { href } from "../address.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { ask } from "../http.js";
import { Failure } from "../parts/failure.js";
import { counted } from "../parts/quantity.js";
import { useSending } from "../parts/sending.js";
import { Time } from "../parts/time.js";
import { DeadLetters } from "./dead_letters.js";

/**
 * What `/projections` says of them, by their names; nothing where there is none. Only an operator may
 * see what is set aside, and do something about it: `onDone` is called when that was asked for.
 */
export function Handling({ projections, isOperator, onDone }) {
  const handling = projections.filter(({ state }) => state !== undefined);
  if (!handling.length) return null;
  const names = [...new Set(handling.map(({ name }) => name))];
  return html`
    <h2>Events handled</h2>
    ${names.map((name) => html`
      <${OfOne} key=${name} name=${name} isOperator=${isOperator} onDone=${onDone}
        each=${handling.filter((one) => one.name === name)} />
    `)}
  `;
}

/** One of them, in each collection. What was done about it is said, and the focus is on its name then. */
function OfOne({ name, each, isOperator, onDone }) {
  const [said, setSaid] = useState(null);
  const heading = useRef();
  useEffect(() => {
    if (said) heading.current.focus({ preventScroll: true }); // what was pressed may be gone
  }, [said]);
  const note = (sentence) => {
    setSaid({ sentence });
    onDone();
  };
  const count = each.reduce((sum, one) => sum + one.dead_letters, 0);
  const isHeldUp = each.some(({ state }) => state !== "following");
  return html`
    <section aria-label=${name}>
      <h3 tabindex="-1" ref=${heading}>${name}</h3>
      <dl class="facts">
        ${each.map((one) => html`
          <dt>${one.collection ?? "State"}</dt>
          <dd><${State} of=${one} /></dd>
        `)}
      </dl>
      ${isOperator && isHeldUp && html`<${Resume} name=${name} onDone=${note} />`}
      <p role="status" class="muted">${said?.sentence}</p>
      ${isOperator && count > 0 && html`<${DeadLetters} projection=${name} count=${count} onDone=${note} />`}
    </section>
  `;
}

/** In words: whether it goes on, why not and until when, and what it has done so far. */
function State({ of: { state, reason, failing, tries, next, handled, failures, dead_letters: aside } }) {
  return html`
    <${Word} of=${state} />
    ${reason !== null && html`
      ${" "}<bdi>${reason}</bdi>
      ${failing && html`, at <a class="mono" href=${href("log", { event: failing })}>${failing}</a>`}
      ${tries > 0 && html`, tried ${counted(tries, "time")}`}
      ${next && html`, next at <${Time} at=${next} />`}
    `}
    <div class="muted">${counted(handled, "event")} handled, ${counted(failures, "failure")}, ${aside.toLocaleString("en")} set aside</div>
  `;
}

const WORDS = {
  following: { word: "follows", look: "good" },
  failing: { word: "waits after a failure", look: "" },
  stopped: { word: "stopped", look: "bad" },
};

function Word({ of }) {
  const { word, look } = WORDS[of] ?? { word: of, look: "" };
  return html`<span class=${`outcome ${look}`}>${word}</span>`;
}

function Resume({ name, onDone }) {
  const { isSending, error, send } = useSending();
  const resume = async () => {
    const path = `/admin/projections/${encodeURIComponent(name)}/resume`;
    const { resumed } = (await ask(path, { method: "POST" })).plain;
    onDone(resumed ? "It tries again within seconds." : "It goes on already.");
  };
  return html`
    <p class="actions">
      <button type="button" disabled=${isSending} aria-label=${`Resume ${name}`}
        onClick=${() => send(resume)}>Resume</button>
      <span class="muted">Has it try at once, whether it has stopped or waits.</span>
    </p>
    ${error && html`<${Failure} error=${error} />`}
  `;
}
