/** `/docs`: what can be asked of the store, to try (Swagger UI), and the token that it may want. */

import { keepToken, keptToken, tokenIn, whyNoToken } from "./kept_token.js";
import { mendWhatIsDrawnIn, pathsAreText } from "./mending.js";

/** Where the API is: the page stands at `<root>docs`, wherever the store is mounted. */
const ROOT = new URL(".", location.href);

const HOW_IDS_ARE_TYPED =
  "Type it as it is, with a slash as a slash: this page percent-encodes it by itself. ";

const at = (id) => document.getElementById(id);

/** What the store answers with JSON: `{status, content}`. Throws TypeError where nothing does. */
async function asked(path, token) {
  const headers = { Accept: "application/json", ...authorization(token) };
  const answer = await fetch(new URL(path, ROOT), { headers, cache: "no-store" });
  return { status: answer.status, content: await answer.json() };
}

function authorization(token) {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** Shows what the store lets who has this token see, or asks for another one. */
async function show(token) {
  const { status, content } = await asked("", token);
  if (status === 401) return askForToken(content.detail);
  if (status >= 400) return say(content.detail);
  at("to-explorer").hidden = !content.links.explorer;
  if (content.access.role === null) return askForToken("");
  const found = await asked("openapi.json", token);
  if (found.status >= 400) return say(found.content.detail);
  if (token !== null) keepToken(token);
  showWho(content.access);
  at("asking").hidden = true;
  showDocument(found.content);
}

function askForToken(refusal) {
  at("asking").hidden = false;
  at("refusal").textContent = refusal;
  at("token").setAttribute("aria-invalid", String(refusal !== ""));
  at("token").focus();
}

/** Why nothing can be shown, in the words of the store. */
function say(sentence) {
  at("said").className = "failure";
  at("said").textContent = sentence;
}

function showWho({ is_open: isOpen, token, role }) {
  at("who").textContent = isOpen ? "open to all" : `${token} · ${role}`;
  at("forget").hidden = isOpen;
}

function showDocument(document) {
  mendWhatIsDrawnIn(at("document"));
  SwaggerUIBundle({
    spec: fitted(document),
    dom_id: "#document",
    deepLinking: true,
    showExtensions: true,
    showCommonExtensions: true,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [pathsAreText],
    requestInterceptor: withToken,
  });
}

/** The document as this page can use it: the token is asked for above, and ids are typed here. */
function fitted({ security, ...document }) {
  const { securitySchemes, ...components } = document.components;
  const id = components.parameters.id;
  id.description = HOW_IDS_ARE_TYPED + id.description;
  return { ...document, components };
}

function withToken(request) {
  Object.assign(request.headers, authorization(keptToken()));
  return request;
}

/** Lets who looks give a token, and take it back. */
function listen() {
  at("asking").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = tokenIn(at("token").value);
    const why = whyNoToken(token);
    if (why === null) begin(token);
    else askForToken(why);
  });
  at("forget").addEventListener("click", () => {
    keepToken(null);
    location.reload();
  });
}

/** Light or dark, as the browser is. */
function dress() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const put = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", put);
  put();
}

function begin(token) {
  show(token).catch((error) => {
    if (!(error instanceof TypeError)) throw error;
    say("The store does not answer. Is it running?");
  });
}

dress();
listen();
begin(keptToken());
