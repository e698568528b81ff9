/**
 * Requests over HTTP, with limits on their time and size.
 */
import { setTimeout as realTimeout } from 'node:timers';
import { TextDecoder } from 'node:util';
import type { Dispatcher } from 'undici';
import { afterSockets } from './after-sockets.js';
import { type EndSignal, offAbort, onAbort } from './call-signal.js';
import { createDispatcher, type DispatcherOptions } from './dispatcher.js';
import { TransportError } from './transport-error.js';

/** Limits of one request, in milliseconds; 0 is none. */
export interface Timeouts {
  /** Until there is a connection; default 10 s. */
  readonly connectMs?: number | undefined;
  /** From the request until the first byte of the answer; default 10 min. */
  readonly firstByteMs?: number | undefined;
  /** Between two parts of an answer; default 2 min. */
  readonly idleMs?: number | undefined;
  /** All of it; default 20 min. */
  readonly totalMs?: number | undefined;
}

/** Where no other limits are given. */
export const defaultTimeouts = {
  connectMs: 10_000,
  firstByteMs: 600_000,
  idleMs: 120_000,
  totalMs: 1_200_000,
} as const satisfies Timeouts;

/** How a {@link Transport} works. */
export interface TransportOptions extends Omit<DispatcherOptions, 'connectMs'> {
  readonly timeouts?: Timeouts | undefined;
  /** Largest answer; default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
}

/** One request. */
export interface TransportRequest {
  readonly origin: string;
  /** With its query. */
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: readonly string[];
  /** JSON; null asks with GET. */
  readonly body: string | null;
  readonly totalMs?: number | undefined;
  readonly signal?: EndSignal | undefined;
  /** Takes the text of an event stream as it comes; the answer's body is empty then. */
  readonly onStream?: ((text: string) => void) | undefined;
  /** The answer is whole; its body is read somewhat later, so that another request goes first. */
  readonly onEnd?: ((head: AnswerHead) => void) | undefined;
}

/** What stands before the body of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What a server answered. */
export interface TransportAnswer extends AnswerHead {
  readonly body: string;
  /** Whether the body went to `onStream`. */
  readonly isStream: boolean;
}

/** Sends requests. */
export interface Transport {
  /** @throws {TransportError} */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Ends open connections. */
  close(): Promise<void>;
}

const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** A transport over connections of its own. */
export function createTransport(options: TransportOptions): Transport {
  const { maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES, timeouts = {}, ...rest } = options;
  const limits = { ...defaultTimeouts, ...withoutUndefined(timeouts) };
  const dispatchers = createDispatcher({ ...rest, connectMs: limits.connectMs });
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        const totalMs = request.totalMs ?? limits.totalMs;
        const exchange = new Exchange(request, { totalMs, maxAnswerBytes, resolve, reject });
        if (!exchange.begin()) return;
        const { origin, path, body, headers } = request;
        dispatchers.for(origin).dispatch(
          {
            origin,
            path,
            body,
            method: body === null ? 'GET' : 'POST',
            headers: headers as string[],
            headersTimeout: limits.firstByteMs,
            bodyTimeout: limits.idleMs,
          },
          exchange,
        );
      }),
    close: () => dispatchers.close(),
  };
}

function withoutUndefined(timeouts: Timeouts): { [name in keyof Timeouts]?: number } {
  return Object.fromEntries(Object.entries(timeouts).filter(([, value]) => value !== undefined));
}

interface ExchangeOptions {
  readonly totalMs: number;
  readonly maxAnswerBytes: number;
  resolve(answer: TransportAnswer): void;
  reject(error: unknown): void;
}

/** One request on its way; undici calls it directly, as its promises and streams cost more. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: TransportRequest;
  readonly #options: ExchangeOptions;
  #controller: Dispatcher.DispatchController | null = null;
  #timer: NodeJS.Timeout | null = null;
  #end: TransportError | null = null;
  #isSettled = false;
  #status = 0;
  #headers: AnswerHead['headers'] = {};
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #decoder: TextDecoder | null = null;

  constructor(request: TransportRequest, options: ExchangeOptions) {
    this.#request = request;
    this.#options = options;
  }

  /** Whether the request may be sent. */
  begin(): boolean {
    const { signal } = this.#request;
    if (signal?.aborted === true) {
      this.#options.reject(abortedBy(signal));
      return false;
    }
    if (signal !== undefined) onAbort(signal, this.#giveUp);
    const { totalMs } = this.#options;
    if (totalMs > 0) this.#timer = realTimeout(this.#onTotal, totalMs);
    return true;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#end !== null) controller.abort(this.#end);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
    const type = headers['content-type'];
    if (this.#request.onStream === undefined || status !== 200) return;
    if (typeof type === 'string' && type.startsWith('text/event-stream')) {
      this.#decoder = new TextDecoder();
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#options.maxAnswerBytes) {
      const limit = `${this.#options.maxAnswerBytes} bytes`;
      controller.abort(new TransportError('too-large', `the answer is larger than ${limit}`));
    } else if (this.#decoder === null) {
      this.#chunks.push(chunk);
    } else {
      this.#request.onStream?.(this.#decoder.decode(chunk, { stream: true }));
    }
  }

  onResponseEnd(): void {
    this.#settle();
    const head = { status: this.#status, headers: this.#headers };
    this.#request.onEnd?.(head);
    afterSockets(() => this.#resolve(head));
  }

  #resolve({ status, headers }: AnswerHead): void {
    const { resolve, reject } = this.#options;
    try {
      const isStream = this.#decoder !== null;
      const rest = this.#decoder?.decode() ?? '';
      if (rest !== '') this.#request.onStream?.(rest);
      resolve({ status, headers, body: isStream ? '' : textOf(this.#chunks), isStream });
    } catch (error) {
      reject(error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle();
    const end = this.#end ?? TransportError.from(error, this.#sizeBytes > 0);
    end.isSent = this.#controller !== null;
    this.#options.reject(end);
  }

  readonly #giveUp = (): void => {
    const { signal } = this.#request;
    if (signal !== undefined) this.#stop(abortedBy(signal));
  };

  readonly #onTotal = (): void => {
    const seconds = this.#options.totalMs / 1000;
    this.#stop(new TransportError('total-timeout', `no whole answer within ${seconds} s`));
  };

  /** Before a connection is there, undici gives nothing that could be aborted. */
  #stop(error: TransportError): void {
    if (this.#isSettled) return;
    this.#end = error;
    if (this.#controller !== null) this.#controller.abort(error);
    else {
      this.#settle();
      this.#options.reject(error);
    }
  }

  #settle(): void {
    this.#isSettled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { signal } = this.#request;
    if (signal !== undefined) offAbort(signal, this.#giveUp);
  }
}

function abortedBy(signal: EndSignal): TransportError {
  return new TransportError('aborted', 'the request was aborted', signal.reason);
}

function textOf(chunks: readonly Buffer[]): string {
  const [first, ...more] = chunks;
  if (first === undefined) return '';
  return (more.length === 0 ? first : Buffer.concat(chunks)).toString('utf8');
}
