/** A time, as on the clocks of who looks. */

import { html } from "../html.js";

/** `at` is an RFC 3339 text. It is shown to the second, and as it is when pointed at. */
export function Time({ at }) {
  return html`<time datetime=${at} title=${at}>${localTime(at)}</time>`;
}

/** `2026-11-27 22:00:00`, by the clock here; what is no time stays as it is. */
export function localTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const two = (number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}
