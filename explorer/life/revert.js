/** The way back: an earlier version becomes the newest again, if nobody came between. */

import { html, useState } from "../html.js";
import { revertItem } from "../items/item_requests.js";
import { Dialog } from "../parts/dialog.js";
import { Difference } from "../difference/difference.js";
import { Failure } from "../parts/failure.js";
import { useSending } from "../parts/sending.js";
import { Time } from "../parts/time.js";
import { Type } from "../parts/type.js";

/** A button that asks first. `event` made the version to go back to; `onDone` gets the new one. */
export function Revert({ history, event, onDone }) {
  const [isOpen, setIsOpen] = useState(false);
  const done = (version) => {
    setIsOpen(false);
    onDone(version);
  };
  return html`
    <button type="button" onClick=${() => setIsOpen(true)}>Revert to version ${event.version} …</button>
    ${isOpen && html`
      <${Confirmation} history=${history} event=${event} onDone=${done}
        onClose=${() => setIsOpen(false)} />
    `}
  `;
}

function Confirmation({ history, event, onDone, onClose }) {
  const [newest, setNewest] = useState(history.newest);
  const [between, setBetween] = useState([]);
  const { isSending, error, send } = useSending();
  const revert = async () => {
    try {
      const expected = newest.body === undefined ? null : newest.version;
      const { version } = await revertItem(history.collection, history.id, event.version, expected);
      onDone(version);
    } catch (refusal) {
      if (refusal.status !== 412) throw refusal;
      const come = await history.since(newest);
      setBetween([...between, ...come]);
      setNewest(come.at(-1) ?? newest);
    }
  };
  return html`
    <${Dialog} title=${`Revert to version ${event.version}`} isWide onClose=${onClose}>
      ${between.length > 0 && html`<${Between} events=${between} />`}
      <p>
        This writes version ${newest.version + 1} with the body of version ${event.version}, if
        version ${newest.version} is still the newest. Nothing is lost: all versions stay.
      </p>
      ${newest.body === undefined && html`<p>The item is deleted now, and would exist again.</p>`}
      <h3>What would change from version ${newest.version}</h3>
      <${Difference} before=${newest.body} after=${event.body} label="What would change" />
      ${error && html`<${Failure} error=${error} />`}
      <div class="actions">
        <button type="button" onClick=${onClose}>Leave it as it is</button>
        <button type="button" class="primary" disabled=${isSending} onClick=${() => send(revert)}>
          ${between.length ? "Revert all the same" : "Revert"}
        </button>
      </div>
    <//>
  `;
}

function Between({ events }) {
  return html`
    <div class="caution" role="alert">
      <h3>Nothing was written: somebody came between</h3>
      <ul>
        ${events.map((event) => html`
          <li>
            Version ${event.version} ${" "}<${Type} of=${event.type} />
            ${event.actor && html` by <bdi>${event.actor}</bdi>`}, <${Time} at=${event.time} />
          </li>
        `)}
      </ul>
    </div>
  `;
}
