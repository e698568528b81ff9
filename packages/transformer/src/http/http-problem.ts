/**
 * What can be wrong with an answer of a file server, in words.
 */
import { ModelError } from '@lab/core';

/** A URL in messages: without its query, which may hold a signature. */
export const shownUrl = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

/** Why a request gave nothing, with what to do. */
export interface HttpProblemOptions {
  readonly help: string;
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** The error of a request that another try would not mend. */
export function httpProblem(
  url: URL,
  what: string,
  { help, status, cause }: HttpProblemOptions,
): ModelError {
  const details = { url: shownUrl(url), ...(status === undefined ? {} : { status }) };
  return new ModelError(`${shownUrl(url)}: ${what}.`, { help, details, cause });
}

/** What another try may mend; ends as an {@link httpProblem} where it does not. */
export class PassingProblem extends Error {
  constructor(
    what: string,
    readonly options: {
      readonly help: string;
      readonly status?: number;
      /** What the server asks to wait. */
      readonly waitMs?: number | null;
      readonly cause?: unknown;
    },
  ) {
    super(what, { cause: options.cause });
    this.name = 'PassingProblem';
  }
}

const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether a status may be another one a little later. */
export const isPassing = (status: number): boolean => PASSING.has(status);

/** Whether a status says that there is no such file; stores say 403 to those who may not list. */
export const isAbsent = (status: number): boolean => [403, 404, 410].includes(status);

const CREDENTIALS =
  "Give headers of somebody who may read it, such as { authorization: 'Bearer TOKEN' }.";

/** The error of an answer whose status is of no use. */
export function statusProblem(url: URL, status: number, help?: string): ModelError {
  const problem = (what: string, own: string) =>
    httpProblem(url, `${what} (status ${status})`, { help: help ?? own, status });
  if (status === 401) return problem('the server wants to know who asks', CREDENTIALS);
  if (status === 403) return problem('the server does not let us read it', CREDENTIALS);
  if (isAbsent(status)) return problem('there is no such file', 'Look whether the URL is right.');
  return problem('the server does not give it', 'Look at the URL in a browser.');
}

/** The error of a server that sends whole files where parts of them are asked for. */
export const noRanges = (url: URL, what: string): ModelError =>
  httpProblem(url, `the server has no range support: ${what}`, {
    status: 200,
    help: 'Download the checkpoint, or put it behind a server with range requests.',
  });

/** @throws {ModelError} for a page, such as one that asks to log in, in the place of a file. */
export function assertNoPage(url: URL, { headers, status }: Response): void {
  if (headers.get('content-type')?.startsWith('text/html') !== true) return;
  throw httpProblem(url, 'the server gives a page for browsers, not a file', {
    status,
    help: 'Look at the URL in a browser: it may ask to log in; headers can do so, too.',
  });
}

/** The error of a file that is not the one any more that was opened. */
export const changed = (url: URL, what: string): ModelError =>
  httpProblem(url, `has changed since it was opened: ${what}`, {
    help: 'Open the checkpoint again.',
  });
