/** What `/metrics` says, as small plots of the last minutes. */

import { html, useRef } from "../html.js";
import { ask } from "../http.js";
import { Reading } from "./metrics_text.js";
import { PLOTS } from "./shown_metrics.js";
import { Plot } from "../parts/plot.js";
import { Polled, usePolled } from "../parts/polling.js";

const SECONDS = 2;
const MOST_POINTS = 150;

/** The plots, two seconds a point, while the page is visible. */
export function MetricsPlots() {
  const before = useRef(null);
  const points = useRef([]);
  const polled = usePolled(async (signal) => {
    const answer = await ask("/metrics", { headers: { Accept: "text/plain" }, signal });
    const reading = new Reading(answer.text, Date.now() / 1000);
    if (before.current !== null) add(points.current, pointOf(before.current, reading));
    before.current = reading;
    return [...points.current];
  }, SECONDS);
  return html`
    <${Polled} of=${polled}>${(found) => html`
      <div class="plots">
        ${PLOTS.map((plot, at) => html`<${OnePlot} key=${plot.title} plot=${plot} at=${at} points=${found} />`)}
      </div>
    `}<//>
  `;
}

/** The numbers of all plots at one time. */
function pointOf(before, reading) {
  return { time: reading.time, numbers: PLOTS.map((plot) => plot.numbers(before, reading)) };
}

function add(points, point) {
  points.push(point);
  if (points.length > MOST_POINTS) points.shift();
}

function OnePlot({ plot, at, points }) {
  const series = plot.series.map((each, place) => ({
    ...each,
    values: points.map(({ numbers }) => numbers[at][place]),
  }));
  return html`<${Plot} title=${plot.title} times=${points.map(({ time }) => time)} series=${series}
    format=${plot.format} />`;
}
