/** What is known of an item besides its body. */

import { href } from "../address.js";
import { html } from "../html.js";
import { firstCreated, withoutFraction } from "./item_requests.js";
import { useLoaded } from "../parts/loading.js";
import { Time } from "../parts/time.js";
import { Type } from "../parts/type.js";

/** `item` is what itemNow gave of one that exists. */
export function ItemFacts({ collection, id, item }) {
  const { version, event, headers } = item;
  const { value: created } = useLoaded(
    (signal) => firstCreated(collection, id, signal),
    [collection, id],
  );
  const life = href("life", { collection, id, version });
  return html`
    <dl class="facts">
      <dt>Version</dt>
      <dd><a href=${life}>${version}</a></dd>
      ${created && html`<dt>Created</dt><dd><${Time} at=${created} /></dd>`}
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

function lastModified(headers) {
  return withoutFraction(new Date(headers.get("Last-Modified")));
}
