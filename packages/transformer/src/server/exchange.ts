/**
 * One request and its answer.
 */
import { once, setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ApiProblem } from './api-problem.js';

/** An answer under way. */
export class Exchange {
  private readonly gone = new AbortController();

  /** @param takeMs - milliseconds that a client may take nothing of a stream. */
  constructor(
    private readonly response: ServerResponse,
    private readonly takeMs: number,
  ) {
    // Each answer to a request listens.
    setMaxListeners(0, response, this.gone.signal);
    // A client that goes away is no error of ours.
    response.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) this.gone.abort();
    });
  }

  /** Aborted when the client has gone before its answer was out. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** The status that was sent; 0 for none. */
  get status(): number {
    return this.response.headersSent ? this.response.statusCode : 0;
  }

  /** Sends a whole answer. */
  json(value: unknown): void {
    this.send(200, JSON.stringify(value));
  }

  /** Refuses, within a stream by an event. */
  fail(problem: ApiProblem): void {
    if (!this.response.headersSent) {
      this.send(problem.status, problem.body, problem.headers);
    } else if (!this.response.writableEnded) {
      this.response.end(`data: ${problem.body}\n\n`);
    }
  }

  private send(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
    if (this.response.headersSent) return;
    this.response.writeHead(status, {
      ...{ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      ...{ 'x-content-type-options': 'nosniff', 'content-length': Buffer.byteLength(body) },
      ...headers,
    });
    this.response.end(body);
  }

  /**
   * Sends an event; resolves once there is room for more.
   *
   * @throws where the client has gone, or takes nothing for too long.
   */
  async event(data: string): Promise<void> {
    const { response, signal } = this;
    signal.throwIfAborted();
    if (response.writableEnded) throw new Error('the stream has ended');
    if (!response.headersSent) {
      response.writeHead(200, {
        ...{ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
        'x-content-type-options': 'nosniff',
      });
    }
    if (response.write(`data: ${data}\n\n`)) return;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.takeMs)]);
    try {
      await once(response, 'drain', { signal: limit });
    } catch (error) {
      response.destroy();
      throw error;
    }
  }

  /** Ends a stream. */
  async endEvents(): Promise<void> {
    await this.event('[DONE]');
    this.response.end();
  }
}
