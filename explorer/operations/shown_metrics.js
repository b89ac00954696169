/** The eight plots that an operator looks at first, and how each comes from two readings. */

import { growth, quantile, rates } from "./metrics_text.js";
import { shortNumber } from "../parts/plot.js";

const STATUS_CLASSES = ["2xx", "3xx", "4xx", "5xx"];
const EVENT_TYPES = { ItemCreated: "created", ItemUpdated: "updated", ItemDeleted: "deleted" };
const PROBES = new Set(["/livez", "/readyz", "/metrics"]);

/**
 * Each plot: `title`, `series` (name and colour), `numbers(before, after)`, as many as series, null
 * where there is none, and `format`. Requests of this page for its plots are not counted.
 */
export const PLOTS = [
  {
    title: "Requests a second, by status",
    series: [
      { name: "2xx", color: "--created" },
      { name: "3xx", color: "--updated" },
      { name: "4xx", color: "--caution" },
      { name: "5xx", color: "--deleted" },
    ],
    numbers(before, after) {
      const found = rates(before, after, "itemstore_requests_total", ({ route, status }) =>
        PROBES.has(route) ? null : `${status[0]}xx`,
      );
      return STATUS_CLASSES.map((each) => found.get(each) ?? 0);
    },
  },
  {
    title: "Time to the answer",
    series: [
      { name: "half within", color: "--accent" },
      { name: "99 % within", color: "--caution" },
    ],
    numbers(before, after) {
      const isAsked = ({ route }) => !PROBES.has(route);
      return [0.5, 0.99].map((share) =>
        quantile(before, after, "itemstore_request_duration_seconds", share, isAsked),
      );
    },
    format: duration,
  },
  {
    title: "Events a second",
    series: [
      { name: "created", color: "--created" },
      { name: "updated", color: "--updated" },
      { name: "deleted", color: "--deleted" },
    ],
    numbers(before, after) {
      const found = rates(before, after, "itemstore_events_total", ({ type }) => EVENT_TYPES[type]);
      return Object.values(EVENT_TYPES).map((each) => found.get(each) ?? 0);
    },
  },
  {
    title: "Commands per call of the engine",
    series: [{ name: "on average", color: "--accent" }],
    numbers(before, after) {
      const [calls] = growth(before, after, "itemstore_batch_commands_count", () => "").values();
      const [commands] = growth(before, after, "itemstore_batch_commands_sum", () => "").values();
      return [calls ? commands / calls : null];
    },
  },
  {
    title: "Requests that wait",
    series: [
      { name: "for their answer", color: "--accent" },
      { name: "lists and queries", color: "--caution" },
    ],
    numbers: (_before, after) => [after.sum("itemstore_waiting"), after.sum("itemstore_reads")],
  },
  {
    title: "Connections",
    series: [
      { name: "open", color: "--accent" },
      { name: "streams", color: "--caution" },
    ],
    numbers: (_before, after) => [
      after.sum("itemstore_connections"),
      after.sum("itemstore_streams"),
    ],
  },
  {
    title: "Events behind the log",
    series: [
      { name: "read models", color: "--accent" },
      { name: "archive", color: "--caution" },
    ],
    numbers: (_before, after) => [
      after.largest("itemstore_projection_lag_events"),
      after.sum("itemstore_archive_lag_events"),
    ],
  },
  {
    title: "Memory",
    series: [
      { name: "engine", color: "--accent" },
      { name: "API", color: "--caution" },
    ],
    numbers: (_before, after) => [
      after.sum("itemstore_engine_memory_bytes"),
      after.sum("process_resident_memory_bytes"),
    ],
    format: bytes,
  },
];

/** Seconds as people read them: `250 µs`, `1.2 ms`, `3 s`. */
export function duration(seconds) {
  if (seconds >= 1) return `${rounded(seconds)} s`;
  if (seconds >= 0.001) return `${rounded(seconds * 1000)} ms`;
  return seconds ? `${rounded(seconds * 1e6)} µs` : "0 s";
}

/** Bytes as people read them. */
export function bytes(number) {
  return `${shortNumber(number)}${number < 1000 ? " " : ""}B`;
}

function rounded(number) {
  return Number(number.toPrecision(3));
}
