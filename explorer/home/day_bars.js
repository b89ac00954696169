/** How many events there were on each of the last days, as small bars. */

import { html } from "../html.js";
import { counted } from "../parts/quantity.js";

const DAYS = 30;
const DAY_MS = 86_400_000;
const WIDTH = 4;
const HEIGHT = 20;

/** `days` has the number of events by day (UTC), as in `{"2026-11-27": 48}`. */
export function DayBars({ days }) {
  const numbers = lastDays().map((day) => days[day] ?? 0);
  const most = Math.max(1, ...numbers);
  const sum = numbers.reduce((all, each) => all + each, 0);
  const said = `${counted(sum, "event")} in the last ${DAYS} days`;
  return html`
    <svg class="day-bars" role="img" aria-label=${said} width=${DAYS * WIDTH} height=${HEIGHT}>
      <title>${said}</title>
      ${numbers.map((number, at) => {
        const height = number ? Math.max(2, Math.round((number / most) * HEIGHT)) : 1;
        return html`
          <rect class=${number ? "some" : ""} x=${at * WIDTH} y=${HEIGHT - height} width=${WIDTH - 1} height=${height} />
        `;
      })}
    </svg>
  `;
}

function lastDays() {
  const dayBefore = (days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
  return Array.from({ length: DAYS }, (_, at) => dayBefore(DAYS - 1 - at));
}
