/** Try it: a request of one's own, the exchange, the event that it appended, and the same as curl. */

import { go } from "../address.js";
import { composed, exchange } from "../try/exchange.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { AppendedEvent } from "../try/appended_event.js";
import { Copy } from "../parts/copy.js";
import { asCurl } from "../parts/curl.js";
import { ExchangeShown } from "../try/exchange_shown.js";
import { RequestForm } from "../try/request_form.js";
import { useTitle } from "../parts/title.js";
import { useAccess } from "../session.js";

const ADDRESS_AFTER_MS = 400;
const LONGEST_IN_ADDRESS = 4000;

/** All four are texts of the address; what is not there is a request that anybody may send. */
export default function Try({ method = "GET", path, headers = "", body = "" }) {
  useTitle("Try it");
  const { collections } = useAccess();
  const given = { method, path: path ?? `/${collections[0] ?? ""}`, headers, body };
  const [request, setRequest] = useAddressed(given);
  const [problem, setProblem] = useState(null);
  const [exchanged, setExchanged] = useState(null);
  const abort = useRef(null);
  const isBusy = exchanged !== null && !exchanged.isOver;
  const parts = composed(request);

  useEffect(() => () => abort.current?.abort(), []);
  const send = () => {
    setProblem(parts.problem);
    if (parts.problem !== null) return;
    abort.current?.abort();
    const { signal } = (abort.current = new AbortController());
    exchange(parts, (each) => abort.current?.signal === signal && setExchanged(each), signal);
  };

  const position = exchanged?.isOver && exchanged.headers?.find(([name]) => name === "event-id")?.[1];
  return html`
    <div class="heading"><h1>Try it</h1></div>
    <${RequestForm} request=${request} onChange=${setRequest} onSend=${send}
      onStop=${() => abort.current.abort()} isBusy=${isBusy} />
    ${problem !== null && html`<p class="failure" role="alert">${problem}</p>`}
    ${parts.problem === null && html`<${AsCurl} request=${parts} />`}
    ${exchanged !== null && html`<${ExchangeShown} of=${exchanged} />`}
    ${position && html`<${AppendedEvent} position=${position} />`}
  `;
}

/** The same for a shell. */
function AsCurl({ request }) {
  const text = asCurl(request.path, request);
  return html`
    <details>
      <summary>The same as curl</summary>
      <pre class="wire curl" tabindex="0" aria-label="The same as curl">${text}</pre>
      <${Copy} text=${text} label="Copy as curl" />
    </details>
  `;
}

/** The request as it is typed, which the address has a moment later: the body only if it is short. */
function useAddressed(given) {
  const [request, setRequest] = useState(given);
  const written = useRef(JSON.stringify(given));
  const inAddress = JSON.stringify(given);
  useEffect(() => {
    if (inAddress !== written.current) setRequest(given); // gone back to, or a link
    written.current = inAddress;
  }, [inAddress]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const isShort = JSON.stringify(request).length <= LONGEST_IN_ADDRESS;
      const kept = isShort ? request : { ...request, body: "" };
      if (kept.path === "" || JSON.stringify(kept) === written.current) return;
      written.current = JSON.stringify(kept);
      go("try", kept, { replace: true });
    }, ADDRESS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [request]);
  return [request, (changed) => setRequest((before) => ({ ...before, ...changed }))];
}
