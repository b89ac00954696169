/** Getting in: asks for a token, where the store wants one. */

import { html, useEffect, useRef, useState } from "../html.js";
import { ask } from "../http.js";
import { tokenIn, whyNoToken } from "../kept_token.js";
import { Away, Brand } from "../frame/frame.js";
import { focusOnHeading } from "../frame/heading_focus.js";
import { useTitle } from "../parts/title.js";
import { setAccess, setToken } from "../session.js";

/** `failure` is what the store said of the token before. */
export default function SignIn({ failure = null }) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState(failure?.message ?? "");
  const [isShown, setIsShown] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const field = useRef();
  useTitle("Sign in");
  useEffect(() => {
    field.current.focus();
    return () => setTimeout(focusOnHeading);
  }, []);

  const enter = async (event) => {
    event.preventDefault();
    if (isAsking) return;
    setIsAsking(true);
    const why = await refusal(tokenIn(text));
    if (why === null) return;
    setSaid(why);
    setIsAsking(false);
    field.current?.select();
  };

  return html`
    <${Away} />
    <main class="sign-in">
      <${Brand} />
      <h1>This store wants a token</h1>
      <p class="muted">Whoever runs it makes one with <code>itemstore token create</code>.</p>
      <form onSubmit=${enter}>
        <input class="unseen" type="text" autocomplete="username" tabindex="-1" aria-hidden="true" />
        <div class="field">
          <label for="token">Token</label>
          <input id="token" class="mono" ref=${field} type=${isShown ? "text" : "password"} required
            autocomplete="current-password" autocapitalize="off" spellcheck=${false} value=${text}
            aria-describedby="token-said" aria-invalid=${said ? "true" : null}
            onInput=${(event) => setText(event.target.value)} />
          <p id="token-said" class="error" role="alert">${said}</p>
        </div>
        <label class="choice">
          <input type="checkbox" checked=${isShown} onChange=${() => setIsShown(!isShown)} />
          Show what I type
        </label>
        <button class="primary" aria-disabled=${isAsking ? "true" : null}>Sign in</button>
      </form>
      <p class="hint">The token is kept for this tab, and forgotten with it.</p>
    </main>
  `;
}

/** Gets in with a token, or says why that can't be. */
async function refusal(token) {
  const why = whyNoToken(token);
  if (why !== null) return why;
  try {
    const answer = await ask("/", { headers: { Authorization: `Bearer ${token}` } });
    setToken(token);
    setAccess(answer.plain);
    return null;
  } catch (error) {
    return error.message;
  }
}
