/** Getting in: asks for a token, where the store wants one. */

import { html, useState } from "../html.js";
import { setToken, token } from "../session.js";

/** `failure` is what the store said of the token before. */
export default function SignIn({ failure }) {
  const [text, setText] = useState(token() ?? "");
  const enter = (event) => {
    event.preventDefault();
    setToken(text.trim());
  };
  return html`
    <main>
      <h1>This store wants a token</h1>
      ${failure && html`<p role="alert">${failure.message}</p>`}
      <form onSubmit=${enter}>
        <label>Token
          <input type="password" autocomplete="current-password" required value=${text}
            onInput=${(event) => setText(event.target.value)} />
        </label>
        <button>Enter</button>
      </form>
      <p>It is kept for this tab, and forgotten with it.</p>
    </main>
  `;
}
