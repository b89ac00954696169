/** Buttons that put the usual header fields into a request, or take them out again. */

import { fieldOf, withField, withoutField } from "./header_lines.js";
import { html, useState } from "../html.js";
import { ask } from "../http.js";

const READS = ["GET", "HEAD"];
const WRITES = ["PUT", "PATCH", "DELETE", "POST"];
const CURRENT = "current version";
const NEW = "a new one";

/** A field, what the button says, and the methods for which it is of use. */
const CHOICES = [
  { name: "If-Match", text: CURRENT, methods: [...READS, ...WRITES] },
  { name: "If-None-Match", text: CURRENT, methods: READS },
  { name: "If-None-Match", text: "*", methods: WRITES },
  { name: "Prefer", text: "return=minimal", methods: WRITES },
  { name: "Idempotency-Key", text: NEW, methods: WRITES },
  { name: "Accept", text: "text/event-stream", methods: ["GET"] },
];

/** `lines` are the fields, one a line; `path` says of what the current version is. */
export function HeaderChoices({ method, path, lines, onChange }) {
  const [said, setSaid] = useState("");
  const put = async ({ name, text }) => {
    setSaid("");
    try {
      onChange(withField(lines, name, await valueOf(text, path)));
    } catch (error) {
      setSaid(error.status === 404 ? "There is nothing at this path now." : error.message);
    }
  };
  return html`
    <div class="actions choices" role="group" aria-label="Usual header fields">
      ${CHOICES.filter(({ methods }) => methods.includes(method)).map((choice) => {
        const isIn = isPut(choice, fieldOf(lines, choice.name));
        const press = () => (isIn ? onChange(withoutField(lines, choice.name)) : put(choice));
        return html`
          <button type="button" aria-pressed=${isIn} onClick=${press}>${choice.name}: ${choice.text}</button>
        `;
      })}
    </div>
    <p class="hint" role="status">${said}</p>
  `;
}

function isPut({ text }, value) {
  if (value === null) return false;
  return text === CURRENT || text === NEW ? value !== "*" : value === text;
}

async function valueOf(text, path) {
  if (text === CURRENT) return currentTag(path);
  return text === NEW ? `"${randomText()}"` : text;
}

async function currentTag(path) {
  const tag = (await ask(path.split("?")[0], { method: "HEAD" })).field("ETag");
  if (tag === null) throw new Error("What is at this path has no version.");
  return tag;
}

/** 128 random bits; randomUUID is missing where there is no TLS. */
function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
