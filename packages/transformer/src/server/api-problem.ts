/**
 * What is wrong with a request, in the form of OpenAI's interface.
 */

import { formatCount } from '@lab/core';

/** Details of an {@link ApiProblem}. */
export interface ApiProblemOptions {
  /** Field of the body that it is about. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer that refuses a request; it never leaves the server as an error. */
export class ApiProblem extends Error {
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    message: string,
    { param, code, headers = {} }: ApiProblemOptions = {},
  ) {
    super(message);
    this.name = 'ApiProblem';
    this.param = param ?? null;
    this.code = code ?? null;
    this.headers = headers;
  }

  /** The body of the answer, as JSON. */
  get body(): string {
    const { message, param, code } = this;
    return JSON.stringify({ error: { message, type: typeOf(this.status), param, code } });
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A field of the body that has no value that it may have. */
export const invalid = (param: string, message: string, code = 'invalid_value'): ApiProblem =>
  new ApiProblem(400, message, { param, code });

/** A field that would change answers, which this server cannot. */
export const unsupported = (param: string, what = `'${param}'`): ApiProblem =>
  new ApiProblem(400, `${what} is not supported by this server.`, {
    ...{ param, code: 'unsupported_parameter' },
  });

/** What does not fit, in tokens. */
export interface TooLong {
  /** Of the prompt, or of what was read of it. */
  readonly length: number;
  /** Of the answer; default none. */
  readonly wanted?: number;
  readonly contextTokens: number;
  /** Field that the prompt comes from. */
  readonly param: string;
}

/** A prompt that does not fit, or not with its answer. */
export function tooLong({ length, wanted = 0, contextTokens, param }: TooLong): ApiProblem {
  const answer = wanted === 0 ? '' : ` and ${formatCount(wanted)} of the answer`;
  const isAlone = length >= contextTokens;
  return invalid(
    param,
    `The context length of this server is ${formatCount(contextTokens)} tokens; asked for are ` +
      `${formatCount(length)}${isAlone ? ' or more' : ''} of the prompt${answer}. Shorten the ` +
      `prompt${isAlone ? '' : ', or lower max_tokens'}.`,
    'context_length_exceeded',
  );
}
