/** A button that copies a text. */

import { html, useEffect, useState } from "../html.js";

const SHOWN_MS = 2000;

/** `text` is what is copied, `label` what the button says until it is. */
export function Copy({ text, label = "Copy" }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = said && setTimeout(() => setSaid(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => setSaid((await copied(text)) ? "Copied" : "Not allowed here");
  return html`
    <button type="button" class="quiet" onClick=${copy}>${said || label}</button>
    <span class="unseen" role="status">${said}</span>
  `;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text); // without TLS there is no clipboard but on loopback
  }
}

function copiedBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  const focused = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}
