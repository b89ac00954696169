/** Writing an item: its body, its id where it is new, and what if somebody else was faster. */

import { go, href } from "../address.js";
import { html, useMemo, useRef, useState } from "../html.js";
import { createItem, itemNow, putItem } from "../items/item_requests.js";
import { BodyForm } from "./body_form.js";
import { Conflict } from "./conflict.js";
import { Copy } from "../parts/copy.js";
import { bodyOf, draftOf, isChanged, mistakesIn } from "./draft.js";
import { Failure } from "../parts/failure.js";
import { NewId } from "./new_id.js";
import { errorsIn } from "../parts/problem_places.js";
import { useSending } from "../parts/sending.js";
import { forget, unsaved, useUnsaved } from "./unsaved.js";

/** `id` is undefined for a new item. `item` is what itemNow gave; `fields` those of the model. */
export function EditForm({ collection, id, item, fields }) {
  const name = JSON.stringify([collection, id ?? null]);
  const [state, setState] = useState(() => unsaved(name) ?? begun(item, fields));
  const [isTried, setTried] = useState(false);
  const [theirs, setTheirs] = useState(null);
  const { isSending, error, send } = useSending();
  const form = useRef();
  const { draft, version, newId, putAside } = state;
  const change = (changed) => setState((before) => ({ ...before, ...changed }));
  const mistakes = useMemo(() => mistakesIn(draft), [draft]);
  useUnsaved(name, state, isChanged(draft) || newId !== "" || putAside !== null);

  const from = id === undefined ? "items" : "item";
  const written = id ?? newId;
  const write = (expected) => send(async () => {
    try {
      const body = bodyOf(draft);
      const result = written
        ? await putItem(collection, written, body, expected)
        : await createItem(collection, body);
      forget(name);
      go("item", { collection, id: result.id }, { replace: true });
    } catch (refusal) {
      if (refusal.status !== 412) throw refusal;
      setTheirs(await itemNow(collection, written));
    }
  });
  const submit = (event) => {
    event?.preventDefault();
    setTried(true);
    if (!mistakes.length) write(version);
    else requestAnimationFrame(() => form.current?.querySelector('[aria-invalid="true"]')?.focus());
  };
  const goOnFromTheirs = () => {
    change({ ...begun(theirs, fields), newId, putAside: bodyOf(draft) });
    setTheirs(null);
  };
  const putMine = () => {
    const expected = versionOf(theirs);
    change({ version: expected });
    write(expected);
  };

  return html`
    ${theirs && html`
      <${Conflict} collection=${collection} id=${written} version=${version} theirs=${theirs}
        mine=${mistakes.length ? null : bodyOf(draft)} isSending=${isSending}
        onTheirs=${goOnFromTheirs} onMine=${putMine} />
    `}
    ${putAside !== null && html`
      <details class="notice">
        <summary>What you had typed before you went on from theirs</summary>
        <pre>${putAside}</pre>
        <${Copy} text=${putAside} />
      </details>
    `}
    <form ref=${form} class="edit" novalidate onSubmit=${submit}>
      ${id === undefined && html`
        <${NewId} id=${newId} error=${error} onId=${(text) => change({ newId: text })} />
      `}
      <${BodyForm} draft=${draft} onDraft=${(next) => change({ draft: next })}
        mistakes=${isTried || draft.mode === "text" ? mistakes : []} errors=${errorsIn(error)} />
      ${error && html`<${Failure} error=${error} />`}
      <p class="actions">
        <button class="primary" disabled=${isSending}>${isSending ? "Saving …" : "Save"}</button>
        <a class="button" href=${href(from, { collection, id })}>Cancel</a>
      </p>
    </form>
  `;
}

/** What is typed, at first: the item as it is, and the version that a write expects. */
function begun(item, fields) {
  const draft = draftOf(item.value, fields);
  return { draft, version: versionOf(item), newId: "", putAside: null };
}

/** The version that a write over this has to expect; null where there is no item. */
function versionOf({ exists, version }) {
  return exists ? version : null;
}
