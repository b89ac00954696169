/** The list of events, the newest first. */

import { html, useEffect, useState } from "../html.js";
import { Failure } from "../parts/failure.js";
import { Id } from "../parts/id.js";
import { localTime } from "../parts/time.js";
import { Type } from "../parts/type.js";
import { VirtualRows } from "./virtual_rows.js";
import { millisecondsOf } from "./positions.js";
import { BeyondOldest } from "./standing.js";

const COLUMNS = [
  { name: "time", title: "Time" },
  { name: "kind", title: "Type" },
  { name: "collection", title: "Collection" },
  { name: "item", title: "Item" },
  { name: "version", title: "Version" },
  { name: "actor", title: "By" },
  { name: "body", title: "Body" },
];

/** `opened` is the position of the event that is open; `onOpen(position, byKey)` opens one. */
export function Events({ log, opened, onOpen }) {
  const { run } = log;
  const [topSeen, setTopSeen] = useState(0);
  const [isAtTop, setIsAtTop] = useState(true);
  useEffect(() => {
    if (isAtTop) setTopSeen(run.grownAtTop);
  }, [isAtTop, run.grownAtTop]);
  const unseen = isAtTop ? 0 : run.grownAtTop - topSeen;
  const toTop = () => {
    document.querySelector(".rows-scroller").scrollTop = 0;
  };
  return html`
    <div class="events">
      ${log.newer.error && html`
        <${Failure} error=${log.newer.error} />
        <p><button type="button" onClick=${() => log.loadNewer()}>Try again</button></p>
      `}
      ${unseen > 0 && html`
        <button type="button" class="to-top" onClick=${toTop}>
          ${unseen.toLocaleString("en")} newer ${unseen === 1 ? "event" : "events"} above
        </button>
      `}
      <${VirtualRows} label="Events, the newest first" columns=${COLUMNS} count=${run.length}
        total=${log.isAtStart && log.isAtEnd ? run.length : -1} grownAtTop=${run.grownAtTop}
        keepsPlaceAtTop=${!log.isAtEnd} opened=${opened}
        row=${(place) => html`<${Row} event=${run.at(place)} />`}
        keyOf=${(place) => run.at(place).id} placeOf=${(key) => run.placeOf(key)}
        onOpen=${(place, byKey) => onOpen(run.at(place).id, byKey)}
        onTop=${setIsAtTop}
        onNearTop=${() => log.newer.error || log.loadNewer()}
        onNearEnd=${() => log.older.error || log.loadOlder()} />
      <${BeyondOldest} log=${log} />
    </div>
  `;
}

function Row({ event }) {
  const { id, type, collection, item, version, actor, excerpt } = event;
  return html`
    <span role="gridcell" class="time" title=${id}><${When} position=${id} /></span>
    <span role="gridcell" class="kind"><${Type} of=${type} /></span>
    <span role="gridcell" class="collection">${collection}</span>
    <span role="gridcell" class="item"><${Id} id=${item} /></span>
    <span role="gridcell" class="version">${version}</span>
    <span role="gridcell" class="actor"><bdi>${actor}</bdi></span>
    <span role="gridcell" class="body"><bdi>${excerpt}</bdi></span>
  `;
}

/** To the millisecond, since many events may happen in a second. The day is left out where narrow. */
function When({ position }) {
  const milliseconds = millisecondsOf(position);
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return position;
  const [day, clock] = localTime(date).split(" ");
  return html`
    <span class="day">${day} </span>${clock}<span class="muted">.${String(milliseconds % 1000).padStart(3, "0")}</span>
  `;
}
