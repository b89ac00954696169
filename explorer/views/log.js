/** The log: events as they come, and all before them. */

import { go } from "../address.js";
import { html, useCallback, useState } from "../html.js";
import { Events } from "../log/events.js";
import { Filters } from "../log/filters.js";
import { useFollowedLog } from "../log/use_followed_log.js";
import { OpenedEvent } from "../log/opened_event.js";
import { Rate } from "../log/rate.js";
import { Standing } from "../log/standing.js";
import { useTitle } from "../parts/title.js";
import { useAccess } from "../session.js";

/**
 * `source`, `type` and `item` choose events as those of `/events` do, `since` is the time to begin
 * at, and `event` the position of the one that is open.
 */
export default function Log(shown) {
  const { collections, access } = useAccess();
  const [round, setRound] = useState(0);
  const [focusOnOpened, setFocusOnOpened] = useState(false);
  const log = useFollowedLog(shown, { isBoundToPrefixes: Boolean(access.prefixes), round });
  const arrived = useCallback(() => log?.arrived ?? 0, [log]);
  useTitle("Log");

  const filter = (changed) => go("log", { ...shown, ...changed });
  const open = (position, byKey = false) => {
    setFocusOnOpened(byKey);
    go("log", { ...shown, event: position }, { replace: true });
  };
  const close = () => {
    open("");
    document.querySelector(".rows-scroller").focus();
  };
  const beginAgain = () => {
    setRound(round + 1);
    if (shown.since) filter({ since: "" });
  };
  return html`
    <div class="heading log-heading">
      <h1>Log</h1>
      <${Rate} arrived=${arrived} />
    </div>
    <${Filters} collections=${collections} shown=${shown} onChange=${filter} />
    ${log && html`
      <${Standing} log=${log} onBeginAgain=${beginAgain} />
      <div class="log">
        <${Events} log=${log} opened=${shown.event} onOpen=${open} />
        ${shown.event && html`
          <${OpenedEvent} position=${shown.event} takesFocus=${focusOnOpened} onClose=${close} />
        `}
      </div>
    `}
  `;
}
