/** How many events came lately. */

import { html, useEffect, useState } from "../html.js";
import { Plot } from "../parts/plot.js";

const SECONDS = 60;

/** Events a second, in the last minute; `arrived()` is how many came until now. */
export function Rate({ arrived }) {
  const [counts, setCounts] = useState([]);
  useEffect(() => {
    let before = arrived();
    const timer = setInterval(() => {
      const now = arrived();
      const came = { time: Date.now() / 1000, count: now - before };
      before = now;
      setCounts((known) => [...known.slice(1 - SECONDS), came]);
    }, 1000);
    return () => clearInterval(timer);
  }, [arrived]);
  const values = counts.map(({ count }) => count);
  return html`<${Plot} title="Events a second" isBare height=${32}
    times=${counts.map(({ time }) => time)} series=${[{ name: "events", values, color: "--accent" }]} />`;
}
