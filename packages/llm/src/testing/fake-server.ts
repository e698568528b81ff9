/**
 * A server with OpenAI's interface that misbehaves on purpose, by a script.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers';
import { ConfigError } from '@lab/core';
import type { Clock } from '../clock.js';
import { CounterLedger, type FakeCounters } from './fake-counters.js';
import { deliver } from './fake-delivery.js';
import { createFakeModel, type FakeModel } from './fake-model.js';
import { type FakeRequest, type JsonObject, requestOf } from './fake-request.js';
import { preciseClock } from './precise-clock.js';
import { readFakeScript } from './fake-script-reader.js';
import type { FakeEndpoint, FakeScript } from './fake-script.js';
import { RequestLog } from './request-log.js';

/** A request as it arrived, for tests that look at what a client sends. */
export interface ReceivedRequest {
  readonly endpoint: FakeEndpoint;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly promptHash: string;
  /** 1 for the first request with this prompt. */
  readonly attempt: number;
  /** By the server's clock. */
  readonly arrivedMs: number;
}

/** A running misbehaving server. */
export interface FakeServer {
  /** Base URL for clients, with `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly counters: FakeCounters;
  /** The last 1,000 requests, oldest first; fewer where prompts are very long. */
  requests(): readonly ReceivedRequest[];
  /** Follows another script from now on. */
  useScript(script: FakeScript): void;
  /** Sets counters, attempts and requests back to nothing. */
  reset(): void;
  /** Ends all connections, also those left hanging. */
  close(): Promise<void>;
}

/** How to start a misbehaving server. */
export interface FakeServerOptions {
  /** Default: every prompt is answered with six words. */
  readonly script?: FakeScript | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Of all that is drawn; default 0. */
  readonly seed?: number | undefined;
  /**
   * From the arrival of a request to its answer; default 0. It is kept to a tenth of a millisecond
   * while the server has time to spare. A `latency` rule goes before.
   */
  readonly latencyMs?: number | undefined;
  /** Name of the model; default that of the script. */
  readonly model?: string | undefined;
  /**
   * File that keeps the hash of each paid prompt, read at the start: so payments are counted over
   * a kill. Attempts are not: after it, each prompt comes for the first time.
   */
  readonly statePath?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Starts a server on loopback that answers, delays and fails as its script says. What a prompt gets
 * depends on the prompt, its attempt and the seed alone, whatever the order of requests.
 *
 * @throws {ConfigError} when the script is not valid or the port is taken.
 */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const service = new FakeService(options);
  await service.listen(options.port ?? 0);
  return service;
}

const routes: ReadonlyMap<string, FakeEndpoint> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/models', 'models'],
  ['/tokenize', 'tokenize'],
]);

class FakeService implements FakeServer {
  readonly counters: CounterLedger;
  readonly #options: FakeServerOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #closing = new AbortController();
  #model: FakeModel;
  readonly #received = new RequestLog<ReceivedRequest>();
  #turnMs: number | null = null;
  port = 0;

  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? preciseClock;
    this.#model = this.#compile(options.script ?? {});
    this.counters = new CounterLedger(options.statePath);
    this.#server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (req, res) =>
      this.#take(req, res),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  #compile(script: FakeScript): FakeModel {
    const { model, seed = 0, latencyMs = 0 } = this.#options;
    const parsed = readFakeScript(script, model);
    return createFakeModel(parsed, { seed, latencyMs, clock: this.#clock });
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code ?? cause.message;
        const message = `llm/testing: cannot listen on port ${port} (${why}).`;
        reject(
          new ConfigError(message, { help: 'choose another port, or 0 for a free one.', cause }),
        );
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  requests(): readonly ReceivedRequest[] {
    return this.#received.entries();
  }

  useScript(script: FakeScript): void {
    this.#model = this.#compile(script);
  }

  reset(): void {
    this.counters.reset();
    this.#received.clear();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
    this.counters.close();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    if (path.startsWith('/fake/')) {
      this.#serveCounters(request, response, path);
      return;
    }
    const query = path.indexOf('?');
    const endpoint = routes.get(query < 0 ? path : path.slice(0, query));
    if (endpoint === undefined || (endpoint === 'tokenize' && !this.#model.script.tokenize)) {
      answerPlainly(response, 404, { detail: 'Not Found' });
      return;
    }
    this.counters.enter();
    response.once('close', () => this.counters.leave());
    readBody(request, (text) => this.#answer(endpoint, request, response, text));
  }

  #answer(
    endpoint: FakeEndpoint,
    request: IncomingMessage,
    response: ServerResponse,
    text: string,
  ): void {
    const body = parseBody(text);
    if (body === undefined) {
      answerPlainly(response, 400, { error: { message: 'The body is not JSON.', code: null } });
      return;
    }
    const { headers } = request;
    const arrivedMs = this.#arrival();
    const facts = this.#facts(endpoint, body, headers.authorization ?? '');
    this.#keep(facts, headers, arrivedMs);
    deliver(
      {
        response,
        ledger: this.counters,
        hash: facts.hash,
        clock: this.#clock,
        arrivedMs,
        signal: this.#closing.signal,
      },
      this.#model.respond(facts),
    );
  }

  /**
   * When a request that is whole now was there: all that one turn of the event loop brings were
   * there when it began, however long those before it take.
   */
  #arrival(): number {
    if (this.#turnMs !== null) return this.#turnMs;
    const now = this.#clock.now();
    this.#turnMs = now;
    setImmediate(() => {
      this.#turnMs = null;
    });
    return now;
  }

  #facts(endpoint: FakeEndpoint, body: JsonObject, authorization: string): FakeRequest {
    const { counters } = this;
    const isAside = endpoint === 'models' || endpoint === 'tokenize';
    return requestOf(endpoint, body, (hash) => ({
      attempt: isAside ? counters.arriveAside(`${endpoint} ${hash}`) : counters.arrive(hash),
      arrival: counters.received,
      concurrent: counters.concurrent,
      apiKey: authorization.replace(/^Bearer /u, ''),
    }));
  }

  #keep(facts: FakeRequest, headers: ReceivedRequest['headers'], arrivedMs: number): void {
    const { endpoint, body, hash, attempt } = facts;
    const received = { endpoint, headers, body, promptHash: hash, attempt, arrivedMs };
    this.#received.add(received, facts.prompt.length);
  }

  #serveCounters(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [place, query = ''] = path.split('?');
    if (place !== '/fake/counters') {
      answerPlainly(response, 404, { detail: 'Not Found' });
      return;
    }
    request.resume();
    if (request.method === 'POST') this.reset();
    answerPlainly(response, 200, this.counters.toJson(query.includes('prompts')));
  }
}

function readBody(request: IncomingMessage, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [only] = chunks;
    const data = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    done(data.toString('utf8'));
  });
}

function parseBody(text: string): JsonObject | undefined {
  if (text === '') return {};
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

function answerPlainly(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
