/**
 * Why a request brought no answer.
 */

/** Ways in which a request fails before there is an answer. */
export type TransportProblem =
  | 'aborted'
  | 'certificate'
  | 'connect-timeout'
  | 'first-byte-timeout'
  | 'idle-timeout'
  | 'network'
  | 'too-large'
  | 'total-timeout';

const undiciProblems: Readonly<Record<string, readonly [TransportProblem, string]>> = {
  UND_ERR_CONNECT_TIMEOUT: ['connect-timeout', 'no connection in time'],
  UND_ERR_HEADERS_TIMEOUT: ['first-byte-timeout', 'no first byte of the answer in time'],
  UND_ERR_BODY_TIMEOUT: ['idle-timeout', 'the answer stopped before its end'],
};

const certificateCode = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS|ERR_SSL/;

/** A request without an answer, or with half of one. */
export class TransportError extends Error {
  readonly problem: TransportProblem;
  /** Whether a server may have the request: it was sent, or at least begun. */
  isSent = false;

  constructor(problem: TransportProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TransportError';
    this.problem = problem;
  }

  /**
   * What an error of the connection means.
   *
   * @param isBegun - whether a part of the answer had come.
   */
  static from(error: Error, isBegun: boolean): TransportError {
    if (error instanceof TransportError) return error;
    const code = codeOf(error);
    const known = undiciProblems[code];
    if (known !== undefined) return new TransportError(known[0], known[1], error);
    const text = innermost(error).message;
    if (certificateCode.test(code)) return new TransportError('certificate', text, error);
    const where = isBegun ? 'the connection broke within the answer' : 'no connection';
    return new TransportError('network', `${where}: ${text === '' ? code : text}`, error);
  }
}

/** Several addresses of one name fail as one error that holds all; the first stands for them. */
function innermost(error: Error): Error {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return inner instanceof Error ? inner : error;
}

function codeOf(error: Error): string {
  const { code } = innermost(error) as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : '';
}
