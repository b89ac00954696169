/** An item that is written to while somebody looks at it. */

import { followEvents } from "../events_stream.js";
import { html, useEffect, useState } from "../html.js";
import { Time } from "../parts/time.js";
import { Type } from "../parts/type.js";

/** The event that came last since `history` was begun; null as long as there is none. */
export function useNewer(history) {
  const [newest, setNewest] = useState(null);
  useEffect(() => {
    setNewest(null);
    const following = followEvents({
      query: { source: `/${history.collection}`, item: history.id },
      after: history.newest.position,
      onEvents: (events) => setNewest(JSON.parse(events.at(-1).data)),
      onState: () => {},
    });
    return () => following.stop();
  }, [history]);
  return newest;
}

/** Says that there is a newer version, and offers it. `event` as `useNewer` gives it, or null. */
export function Newer({ event, onShow }) {
  return html`
    <div role="status">
      ${event && html`
        <p class="caution newer">
          <span>
            Version ${event.itemversion} has come: ${" "}<${Type} of=${event.type} />
            ${event.actor && html` by <bdi>${event.actor}</bdi>`}, <${Time} at=${event.time} />.
          </span>
          <button type="button" onClick=${onShow}>Show the newest</button>
        </p>
      `}
    </div>
  `;
}
