/** A followed log that a view draws anew when it changes, though not more often than the screen. */

import { useEffect, useState } from "../html.js";
import { FollowedLog } from "./followed_log.js";

/** It begins anew where `source`, `type`, `item`, `since` or the round is another. Null at first. */
export function useFollowedLog({ source, type, item, since }, { isBoundToPrefixes, round }) {
  const [log, setLog] = useState(null);
  const [, setChanges] = useState(0);
  useEffect(() => {
    let frame = null;
    const draw = () => {
      frame = null;
      setChanges((count) => count + 1);
    };
    const onChange = () => {
      frame ??= requestAnimationFrame(draw);
    };
    const begin = Date.parse(since ?? "");
    const made = new FollowedLog({
      filters: { source, type, item },
      since: Number.isNaN(begin) ? null : begin,
      isBoundToPrefixes,
      onChange,
    });
    setLog(made);
    made.begin();
    return () => {
      cancelAnimationFrame(frame);
      made.stop();
    };
  }, [source, type, item, since, isBoundToPrefixes, round]);
  return log;
}
