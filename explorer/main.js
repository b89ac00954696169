/** Starts the page: who looks, and then what stands around every view with the view in it. */

import { followLinks, useAddress } from "./address.js";
import { useBack } from "./connection.js";
import { html, render, useCallback, useEffect, useState } from "./html.js";
import { ask } from "./http.js";
import { Failure } from "./parts/failure.js";
import { Away, Frame } from "./frame/frame.js";
import { ShownView } from "./frame/shown_view.js";
import { keepScroll } from "./scroll.js";
import { setAccess, useAccess } from "./session.js";
import SignIn from "./views/sign_in.js";

function Page() {
  const address = useAddress();
  const access = useAccess();
  const [failure, setFailure] = useState(null);
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((before) => before + 1), []);

  useEffect(() => {
    if (access !== null) return;
    ask("/").then((answer) => setAccess(answer.plain), setFailure);
    return () => setFailure(null);
  }, [access, round]);
  useBack(again);

  if (access?.access.role) {
    return html`<${Frame} view=${address.view} access=${access}><${ShownView} ...${address} /><//>`;
  }
  if (access || failure?.status === 401) return html`<${SignIn} failure=${failure} />`;
  if (failure) return html`<${Away} /><main><${Failure} error=${failure} onRetry=${again} /></main>`;
  return null;
}

keepScroll();
followLinks();
render(html`<${Page} />`, document.getElementById("page"));
