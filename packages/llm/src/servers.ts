/**
 * The servers of a client: where requests go, when they may, and what comes back.
 */
import type { Logger } from '@lab/core';
import {
  type AnswerCost,
  type CallProblem,
  problemOfAnswer,
  problemOfError,
} from './call-problem.js';
import type { EndSignal } from './call-signal.js';
import type { ChatMessage } from './chat.js';
import {
  type ClientOptions,
  readAddresses,
  requestHeaders,
  secretsOf,
  type WeightedAddress,
} from './client-options.js';
import type { Clock } from './clock.js';
import { MAX_CONCURRENCY } from './limits/concurrency-limit.js';
import { createPool, type PlaceOutcome, type PlaceRequest, type Pool } from './limits/pool.js';
import { createRedactor, type Redactor } from './redact.js';
import { abortedFailure, type Attempt, retryLimits } from './retry.js';
import { createRouter, type Replica, type Router } from './routing.js';
import {
  type AnswerHead,
  createTransport,
  type Transport,
  type TransportAnswer,
} from './transport.js';
import { TransportError } from './transport-error.js';

/** Where a client starts to look for the right number of requests at once. */
const LOOPBACK_START = 8;

/** Connections beside those for requests at once, at most; of few requests a quarter. */
const MOST_SPARE = 16;

/** One server with its places. */
interface Server extends Replica {
  readonly address: WeightedAddress;
  readonly headers: readonly string[];
  readonly pool: Pool;
}

/** One request, as it is sent again and again. */
export interface Call {
  /** Behind the base URL, e.g. `/chat/completions`. */
  readonly path: string;
  /** Whether the path stands at the root of the server instead. */
  readonly isAtRoot?: boolean | undefined;
  /** JSON; null asks with GET. */
  readonly body: () => string | null;
  readonly tag: string;
  /** Of prompt and answer together, estimated. */
  readonly tokens: number;
  /** What decides on the server where there are several. */
  readonly messages: readonly ChatMessage[] | null;
  readonly timeoutMs?: number | undefined;
  readonly signal?: EndSignal | undefined;
  /** Makes a taker of streams, anew for each request. */
  readonly onStream?: (() => (text: string) => void) | undefined;
  /** The answer is whole, and not yet read. */
  readonly onEnd?: (() => void) | undefined;
  /** What has come of an answer that broke off did cost, as far as it says. */
  readonly partCost?: (() => AnswerCost) | undefined;
  /** Servers that failed it. */
  readonly failed: Set<Replica>;
}

/** What reading an answer brings: a value, and the tokens that it used where that is known. */
export interface Reading<T> {
  readonly outcome: Attempt<T>;
  readonly tokens: number | null;
}

/** The servers of one model. */
export class Servers {
  readonly redact: Redactor;
  /** Of the first server, without credentials. */
  readonly url: string;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #router: Router<Server>;
  readonly #servers: readonly Server[];
  readonly #maxRetryAfterMs: number;
  #isClosed = false;

  /** @throws {ConfigError} */
  constructor(options: ClientOptions, clock: Clock, logger: Logger) {
    const addresses = readAddresses(options);
    this.#clock = clock;
    this.#maxRetryAfterMs = retryLimits(options.retries).maxRetryAfterMs;
    this.url = addresses[0].url;
    this.redact = createRedactor(secretsOf(options, addresses));
    this.#servers = addresses.map((address) => createServer(address, { options, clock, logger }));
    this.#router = createRouter(new Map(this.#servers.map((one) => [one.address.url, one])));
    const { timeouts, ca, proxies, maxAnswerBytes } = options;
    const most = options.concurrency ?? MAX_CONCURRENCY;
    // A connection rests for a turn or two of the event loop after its answer: some more than
    // requests at once, so that none waits for that.
    const connections = most + Math.min(MOST_SPARE, Math.ceil(most / 4));
    this.#transport = createTransport({ timeouts, ca, proxies, maxAnswerBytes, connections });
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool.waiting, 0);
  }

  /** Requests at once that are allowed now. */
  get concurrency(): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool.concurrency, 0);
  }

  /** Resolves once fewer than so many requests wait for a place. */
  async whenFewerWait(than: number): Promise<void> {
    await Promise.all(this.#servers.map(({ pool }) => pool.whenFewerWait(than)));
  }

  /** Ends open connections. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#transport.close();
  }

  /**
   * Sends a call once.
   *
   * @param sent - how often it was sent before.
   * @param read - judges an answer of status 200.
   */
  async send<T>(
    call: Call,
    sent: number,
    read: (answer: TransportAnswer) => Reading<T>,
  ): Promise<Attempt<T>> {
    if (this.#isClosed) throw abortedFailure(sent, new Error('the client was closed'));
    const server = this.#router.choose(call.messages, this.#avoided(call));
    const { tag: name, tokens, signal } = call;
    const place = { name, tokens, signal, isRepeat: sent > 0 };
    const entering = server.pool.enter(place);
    if (entering !== undefined) await entering;
    let answer: TransportAnswer;
    try {
      answer = await this.#transport.send(requestTo(server, call, place));
    } catch (error) {
      if (error instanceof TransportError && !this.#isClosed) {
        const problem = problemOfError(error, this.redact);
        const cost = error.isSent ? call.partCost?.() : undefined;
        return this.#failed(server, { call, place, problem: { ...problem, ...cost } });
      }
      server.pool.leave(place, { kind: 'neutral' });
      throw this.#isClosed ? abortedFailure(sent + 1, error) : error;
    }
    if (answer.status === 200) {
      const { outcome, tokens: used } = read(answer);
      if (outcome.problem !== undefined) {
        return this.#failed(server, { call, place, problem: outcome.problem });
      }
      const tokensUsed = used ?? tokens;
      server.pool.leave(place, { kind: 'success', isClean: sent === 0, tokens: tokensUsed });
      return outcome;
    }
    const context = { redact: this.redact, date: this.#clock.date() };
    return this.#failed(server, { call, place, problem: problemOfAnswer(answer, context) });
  }

  /** Servers that failed the call or fail all calls; those that never come back if all do. */
  #avoided({ failed }: Call): ReadonlySet<Server> {
    const servers = this.#servers;
    if (servers.length === 1) return none;
    const avoided = new Set(
      servers.filter((one) => failed.has(one) || one.pool.state !== 'closed'),
    );
    if (avoided.size < servers.length) return avoided;
    return new Set(servers.filter((one) => one.pool.state === 'ended'));
  }

  #failed<T>(server: Server, { call, place, problem }: Failed): Attempt<T> {
    server.pool.leave(place, outcomeOf(problem, this.#maxRetryAfterMs));
    if (problem.class === 'transient' || problem.class === 'timeout') {
      call.failed.add(server);
      if (call.failed.size === this.#servers.length) call.failed.clear();
    }
    return { problem };
  }
}

const none: ReadonlySet<Server> = new Set();

interface Failed {
  readonly call: Call;
  readonly place: PlaceRequest;
  readonly problem: CallProblem;
}

interface ServerContext {
  readonly options: ClientOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

function createServer(address: WeightedAddress, context: ServerContext): Server {
  const { options, clock, logger } = context;
  const { limits = {}, concurrency } = options;
  const hasHints = limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;
  const start = address.isLoopback && !hasHints ? LOOPBACK_START : undefined;
  const pool = createPool({
    clock,
    ...limits,
    concurrency: { fixed: concurrency, start },
    onBreak: (waitMs, why) => {
      const seconds = Math.round(waitMs / 1000);
      logger.warn(`${address.url}: only failures (${why}), pausing for ${seconds} s`);
      options.onEvent?.({ type: 'pause', url: address.url, waitMs });
    },
  });
  return {
    ...{ address, pool, weight: address.weight, headers: requestHeaders(options, address) },
    get inFlight() {
      return pool.inFlight + pool.waiting;
    },
  };
}

function requestTo({ address, headers, pool }: Server, call: Call, place: PlaceRequest) {
  const { timeoutMs: totalMs, signal } = call;
  const { origin } = address;
  // Some servers count tokens beside, not below, what is compatible.
  const base = call.isAtRoot === true ? address.path.replace(/\/v1$/, '') : address.path;
  const path = `${base}${call.path}${address.query}`;
  const onEnd = (head: AnswerHead): void => {
    call.onEnd?.();
    hint(pool, head);
    // Before its body is read; what was refused is first learnt from.
    if (head.status === 200) pool.vacate(place);
  };
  const onStream = call.onStream?.();
  return { origin, path, headers, body: call.body(), totalMs, signal, onStream, onEnd };
}

function outcomeOf(problem: CallProblem, maxRetryAfterMs: number): PlaceOutcome {
  const { class: row, retryAfterMs: asked, message: why } = problem;
  if (row === 'rate-limit') {
    const retryAfterMs = asked === null ? null : Math.min(asked, maxRetryAfterMs);
    return { kind: 'rate-limit', retryAfterMs };
  }
  if (row === 'transient' || row === 'timeout') return { kind: 'trouble', why };
  return { kind: 'neutral' };
}

function hint(pool: Pool, { headers }: AnswerHead): void {
  const requests = headers['x-ratelimit-limit-requests'];
  const tokens = headers['x-ratelimit-limit-tokens'];
  if (requests === undefined && tokens === undefined) return;
  pool.onHints({ requests: numberOf(requests), tokens: numberOf(tokens) });
}

function numberOf(value: string | string[] | undefined): number | null {
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}
