/**
 * Requests to a file server: a few at a time, tried again where that may help.
 */
import { setTimeout } from 'node:timers/promises';
import { formatDuration, ModelError, retryAfterMs } from '@lab/core';
import { httpProblem, isPassing, PassingProblem } from './http-problem.js';

/** How a server is reached. */
export interface HttpOptions {
  /** Makes all requests, such as Node's `fetch`; redirects are its matter. */
  readonly fetch: typeof globalThis.fetch;
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Ends what is under way, and every later request. */
  readonly signal?: AbortSignal | undefined;
  /** Waits before another try, and rejects once its signal is aborted; default a timer. */
  readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** A question that may be asked several times. */
export interface Exchange<T> {
  readonly url: URL;
  /** Headers of the next try. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Reads an answer; a {@link PassingProblem} asks for another try. */
  readonly read: (response: Response) => Promise<T>;
}

/** Most requests under way at once. */
const MOST_REQUESTS = 6;
const TRIES = 5;
/** Doubled from try to try. */
const FIRST_WAIT_MS = 500;
/** A server that asks for more is not waited for. */
const LONGEST_WAIT_MS = 120_000;

const BREAKS = 'Look whether the server can be reached, and try again later.';

const timer = async (milliseconds: number, signal: AbortSignal): Promise<void> =>
  setTimeout(milliseconds, undefined, { signal });

/** Requests to a server, until it is closed. */
export class HttpConnection {
  private readonly running = new Set<AbortController>();
  private readonly waiting: (() => void)[] = [];
  private free = MOST_REQUESTS;
  private ended: { readonly reason: unknown } | null = null;
  private readonly onAbort = () => this.end(this.options.signal?.reason);

  constructor(private readonly options: HttpOptions) {
    const { signal } = options;
    signal?.throwIfAborted();
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /**
   * What `read` makes of the answer.
   *
   * @throws {ModelError} where no try gave an answer of use; the reason of the signal.
   */
  async exchange<T>(exchange: Exchange<T>): Promise<T> {
    await this.turn();
    const controller = new AbortController();
    this.running.add(controller);
    try {
      this.assertOpen();
      return await this.tried(exchange, controller.signal);
    } catch (error) {
      this.assertOpen();
      throw error;
    } finally {
      this.running.delete(controller);
      this.leave();
    }
  }

  private async tried<T>(exchange: Exchange<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const problem = await this.once(exchange, signal).catch((error: unknown) => {
        if (error instanceof PassingProblem) return error;
        throw error;
      });
      if (!(problem instanceof PassingProblem)) return problem;
      const { waitMs: asked, ...rest } = problem.options;
      const waitMs = Math.max(asked ?? 0, FIRST_WAIT_MS * 2 ** (tries - 1));
      if (tries === TRIES || waitMs > LONGEST_WAIT_MS) {
        const wait = asked ? `, the server asks to wait ${formatDuration(asked / 1000)}` : '';
        const count = tries === 1 ? '' : `, ${tries} times`;
        throw httpProblem(exchange.url, `${problem.message}${count}${wait}`, rest);
      }
      await (this.options.sleep ?? timer)(waitMs, signal);
      this.assertOpen();
    }
  }

  private async once<T>({ url, headers, read }: Exchange<T>, signal: AbortSignal): Promise<T> {
    const all = { ...this.options.headers, ...headers?.() };
    const response = await this.options.fetch(url, { headers: all, signal }).catch(unreachable);
    try {
      const { status } = response;
      if (isPassing(status)) throw passingStatus(response);
      return await read(response);
    } catch (error) {
      await discard(response);
      throw error;
    }
  }

  private async turn(): Promise<void> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.free -= 1;
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }

  private assertOpen(): void {
    if (this.ended !== null) throw this.ended.reason;
  }

  private end(reason: unknown): void {
    this.ended ??= { reason };
    this.options.signal?.removeEventListener('abort', this.onAbort);
    for (const controller of this.running) controller.abort(this.ended.reason);
  }

  /** Ends what is under way; requests after it are refused. */
  close(): void {
    this.end(
      new ModelError('transformer: the checkpoint behind a URL has been closed.', {
        help: 'Close it once nothing reads its weights any more, or open it again.',
      }),
    );
  }
}

function unreachable(cause: unknown): never {
  const inner: unknown = cause instanceof Error ? (cause.cause ?? cause) : cause;
  const code: unknown = (inner as { readonly code?: unknown } | null)?.code;
  const reason = typeof code === 'string' ? code : String(inner);
  throw new PassingProblem(`cannot be reached (${reason})`, { help: BREAKS, cause });
}

function passingStatus({ status, headers }: Response): PassingProblem {
  const waitMs = retryAfterMs(
    Object.fromEntries(headers),
    performance.timeOrigin + performance.now(),
  );
  const help =
    status === 429 ? 'The server limits how often it is asked: try again later.' : BREAKS;
  return new PassingProblem(`the server answered ${status}`, { status, waitMs, help });
}

/** Leaves the rest of an answer. */
export async function discard({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => undefined);
}

/** The bytes of an answer as they come; where they break off, that is a passing problem. */
export async function* bodyChunks(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) yield chunk as Uint8Array;
  } catch (cause) {
    throw new PassingProblem('the answer broke off', { help: BREAKS, cause });
  }
}

/** The whole of an answer, or null where it has more than `mostBytes`. */
export async function wholeBody(response: Response, mostBytes: number): Promise<Uint8Array | null> {
  const said = saidBytes(response);
  if (said !== null && said > mostBytes) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bodyChunks(response)) {
    length += chunk.length;
    if (length > mostBytes) return null;
    chunks.push(chunk);
  }
  if (said === null || length === said) return Buffer.concat(chunks);
  throw new PassingProblem(`the answer has ${length} of ${said} bytes`, { help: BREAKS });
}

/** Bytes that an answer says to have; null where it does not, or where they are packed. */
function saidBytes({ headers }: Response): number | null {
  const said = headers.get('content-length');
  const coding = headers.get('content-encoding') ?? 'identity';
  return said === null || coding !== 'identity' ? null : Number(said);
}
