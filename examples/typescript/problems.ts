/** What the store refuses, as an error. */
import type { components } from "./schema.js";

export type Problem = components["schemas"]["Problem"];

/** A request was refused: `problem` says why, and what to do (RFC 9457). */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
  }

  get status(): number {
    return this.problem.status;
  }
}
