/** A fetch that sends a request again until it is answered. */

const ATTEMPTS = 8;
const LONGEST_WAIT = 5_000; // milliseconds
const PATIENCE = 30_000; // milliseconds for one attempt to be answered

/** What says only that the store can't answer now: nothing was done, or nobody knows. */
const FOR_NOW = new Set([429, 502, 503, 504]);

/**
 * Sends a request up to eight times, where the connection breaks or the store can't answer now.
 *
 * A write has one Idempotency-Key for all of its attempts. So where the answer was lost on its way
 * back, the next attempt appends nothing, and gets the first answer again.
 */
export async function steadyFetch(request: Request): Promise<Response> {
  const isWrite = !["GET", "HEAD"].includes(request.method);
  if (isWrite && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", `"${crypto.randomUUID()}"`);
  }
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await once(request.clone());
    const isFinal = outcome instanceof Response && !(await isForNow(outcome));
    if (isFinal || attempt === ATTEMPTS || request.signal.aborted) {
      if (outcome instanceof Response) return outcome;
      throw outcome.error;
    }
    await pause(attempt, outcome instanceof Response ? outcome : undefined, request.signal);
  }
}

/** Waits longer after each attempt, but no shorter than the store asks for. */
export async function pause(attempt: number, answer?: Response, signal?: AbortSignal) {
  const growing = Math.min(LONGEST_WAIT, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);
  const asked = 1_000 * Number(answer?.headers.get("Retry-After") ?? 0);
  const wait = Math.max(growing, Number.isFinite(asked) ? asked : 0);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, wait);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** One attempt, with its whole body: a connection may also break in the middle of that. */
async function once(request: Request): Promise<Response | { error: unknown }> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)]);
  try {
    const answer = await fetch(request, { signal });
    const body = await answer.arrayBuffer();
    return new Response(body.byteLength > 0 ? body : null, answer);
  } catch (error) {
    return { error };
  }
}

/** Whether another attempt may be answered otherwise: also while the first one still runs. */
async function isForNow(answer: Response): Promise<boolean> {
  if (FOR_NOW.has(answer.status)) return true;
  return answer.status === 409 && (await answer.clone().text()).includes("idempotency-key-in-use");
}
