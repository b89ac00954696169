/** An item's life: all its versions, what each changed, and the way back to one. */

import { go } from "../address.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { History } from "../life/history.js";
import { Id } from "../parts/id.js";
import { Loaded, useLoaded } from "../parts/loading.js";
import { Newer, useNewer } from "../life/newer.js";
import { Revert } from "../life/revert.js";
import { SinceWhen } from "../life/since_when.js";
import { Tabs } from "../parts/tabs.js";
import { Timeline } from "../life/timeline.js";
import { useTitle } from "../parts/title.js";
import { Trail } from "../parts/trail.js";
import { Body, Compared, Raw } from "../life/version_bodies.js";
import { VersionSlider } from "../life/version_slider.js";
import { may } from "../session.js";

/** The address follows the slider when it has rested for so long: browsers allow few changes. */
const REST_MS = 250;

/** `version` is the one shown, the newest without; `against` the one it is compared with. */
export default function Life({ collection, id, version, against }) {
  useTitle(`Life of ${id} · ${collection}`);
  const history = useLoaded(
    (signal) => new History(collection, id).begin(signal),
    [collection, id],
  );
  const isOther = history.value && (history.value.id !== id || history.value.collection !== collection);
  return html`
    <div class="heading">
      <${Trail} collection=${collection} />
      <h1>Life of <${Id} id=${id} /></h1>
    </div>
    <${Tabs} collection=${collection} id=${id} current="life" />
    <${Loaded} of=${isOther ? { isLoading: true } : history}>${(found) => html`
      <${Versions} history=${found} version=${version} against=${against} onReload=${history.reload} />
    `}<//>
  `;
}

function Versions({ history, version, against, onReload }) {
  const { collection, id, count } = history;
  const asked = versionIn(version, count);
  const [chosen, choose] = useResting(asked ?? count, (settled) =>
    go("life", { collection, id, version: settled, against }, { replace: true }),
  );
  const other = versionIn(against, count) ?? chosen - 1;
  const shown = useLoaded((signal) => looked(history, chosen, other, signal), [history, chosen, other]);
  const deletions = useLoaded((signal) => history.deletions(signal), [history]);
  const newer = useNewer(history);
  const [done, setDone] = useState(null);
  const showNewest = () => {
    onReload();
    go("life", { collection, id });
  };
  const reverted = (written) => {
    setDone(html`Version ${written} is written, with the body of version ${chosen}.`);
    showNewest();
  };
  const event = shown.value?.event.version === chosen ? shown.value.event : undefined;
  return html`
    <${Newer} event=${newer} onShow=${() => { setDone(null); showNewest(); }} />
    <div role="status">${done && html`<p class="done">${done}</p>`}</div>
    ${version && asked === null && html`
      <p class="caution">There is no version ${version}: the newest, ${count}, is shown.</p>
    `}
    <${VersionSlider} version=${chosen} count=${count} event=${event}
      deletions=${deletions.value ?? []} onChoose=${choose} />
    <${Loaded} of=${shown}>${(found) => html`
      <${Shown} history=${history} ...${found} onReverted=${reverted} />
    `}<//>
  `;
}

/** The version, beside what it is compared with, above those around it. */
function Shown({ history, event, other, onReverted }) {
  const isOld = event.version !== history.count;
  return html`
    <div class="sides">
      <section>
        <h2>Version ${event.version}${!isOld && ", the newest"}</h2>
        <${Body} event=${event} history=${history} />
        ${isOld && event.body !== undefined && may("writer") && html`
          <p><${Revert} history=${history} event=${event} onDone=${onReverted} /></p>
        `}
      </section>
      <section>
        <h2>What changed</h2>
        <${Compared} history=${history} event=${event} other=${other} />
      </section>
    </div>
    ${event.body !== undefined && html`<${SinceWhen} history=${history} event=${event} />`}
    ${!event.isGone && html`<${Raw} key=${event.version} history=${history} event=${event} />`}
    <h2>All versions</h2>
    <${Timeline} history=${history} version=${event.version} against=${other?.version} />
  `;
}

async function looked(history, version, against, signal) {
  const event = await history.event(version, signal);
  const other = against === 0 ? null : await history.event(against, signal);
  return { event, other };
}

/** The version that a text of the address names; null where there is none such. */
function versionIn(text, count) {
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= count ? number : null;
}

/** A value of the address that may change often: here at once, in the address when it rests. */
function useResting(value, settle) {
  const [chosen, setChosen] = useState(value);
  const timer = useRef();
  useEffect(() => {
    clearTimeout(timer.current);
    setChosen(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const choose = (next) => {
    setChosen(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => settle(next), REST_MS);
  };
  return [chosen, choose];
}
