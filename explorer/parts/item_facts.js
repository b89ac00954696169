/** What is known of an item besides its body. */

import { href } from "../address.js";
import { html } from "../html.js";
import { Time } from "./time.js";
import { Type } from "./type.js";

/** `item` is what itemNow gave of one that exists. */
export function ItemFacts({ collection, id, item }) {
  const { version, event, headers } = item;
  const life = href("life", { collection, id, version });
  return html`
    <dl class="facts">
      <dt>Version</dt>
      <dd><a href=${life}>${version}</a></dd>
      <dt>Modified</dt>
      <dd><${Time} at=${event?.time ?? lastModified(headers)} /></dd>
      ${event && html`
        <dt>Event</dt>
        <dd>
          <${Type} of=${event.type} />
          <span> <a href=${life}><code>${event.id}</code></a></span>
          ${event.actor && html` by <bdi>${event.actor}</bdi>`}
        </dd>
      `}
      <dt>ETag</dt>
      <dd><code>${headers.get("ETag")}</code></dd>
    </dl>
  `;
}

/** To the second: the header field has no more. */
function lastModified(headers) {
  return new Date(headers.get("Last-Modified")).toISOString().replace(".000Z", "Z");
}
