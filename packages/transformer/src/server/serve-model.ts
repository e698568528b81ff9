/**
 * A server with OpenAI's interface in front of a model in this process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { ConfigError, DataError, type Logger, silentLogger } from '@lab/core';
import type { GenerationLoad } from '../generation/engine.js';
import type { Model } from '../model.js';
import type { Tokenizer } from '../tokenizer.js';
import { assertHost, assertKey } from './access.js';
import { ApiProblem } from './api-problem.js';
import type { Pooling } from './embed-texts.js';
import { Exchange } from './exchange.js';
import { type Listener, openListener } from './http-listener.js';
import { ModelService } from './model-service.js';
import { readJsonBody } from './request-body.js';
import { RequestFields } from './request-fields.js';
import { tokenBytes } from './token-bytes.js';

/** How a model answers. */
export interface AnswerOptions {
  readonly tokenizer: Tokenizer;
  /** Name of the model in requests and answers. */
  readonly servedName: string;
  /** Format of FastChat for conversations, in the place of the chat template. */
  readonly chatFormat?: string | undefined;
  /** Answers that go on together; default 8. */
  readonly maxRows?: number | undefined;
  /** Answers that wait; more are refused with 429. Default 256. */
  readonly maxWaiting?: number | undefined;
  /** Bytes of keys and values; default a quarter of the memory of backend or machine. */
  readonly cacheBytes?: number | undefined;
  /** What embeddings are made of: the mean of all tokens, or the last one. Default `mean`. */
  readonly pooling?: Pooling | undefined;
  /** Of draws for requests without a seed; default another each time. */
  readonly seed?: number | string | undefined;
}

/** How a model is served. */
export interface ServeModelOptions extends AnswerOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: a free one. */
  readonly port?: number | undefined;
  /** Requests must bear it, `Authorization: Bearer KEY`; default they need none. */
  readonly apiKey?: string | undefined;
  /** Milliseconds in which a request must have come as a whole; default 60,000. */
  readonly requestMs?: number | undefined;
  /**
   * Milliseconds that a client may take nothing of a stream before its answer ends; default 60,000.
   */
  readonly takeMs?: number | undefined;
  /** Gets a line for each answer at `debug`, and what failed at `warn`; never texts. */
  readonly logger?: Logger | undefined;
  /** The clock; default the system's. */
  readonly now?: (() => Date) | undefined;
}

/** What the service needs besides. */
export interface ServiceOptions extends AnswerOptions {
  readonly now: () => Date;
  /** Seconds since 1970. */
  readonly created: number;
}

/** A model that is served. */
export interface ModelServer {
  /** Base URL for clients, with `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Tokens of a prompt and its answer, at most. */
  readonly contextTokens: number;
  readonly load: GenerationLoad;
  /** Requests that are not answered yet. */
  readonly openRequests: number;
  /**
   * Ends it: new requests get 503, those under way may end, and the model is freed.
   *
   * @param graceMs - milliseconds that they have; default 0.
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves a model: chats, completions, embeddings, counts of tokens, over HTTP in OpenAI's form.
 * Answers go on together, as `createGenerationEngine` has it, each what it would be alone.
 *
 * @param load - called once the port is open; the model is the server's from then on.
 * @throws {BackendError} where the port cannot be had.
 * @throws what `load` throws.
 */
export async function serveModel(
  load: () => Promise<Model>,
  options: ServeModelOptions,
): Promise<ModelServer> {
  const { host = '127.0.0.1', port = 0, requestMs = 60_000 } = options;
  const listener = await openListener({ host, port, requestMs });
  try {
    return new Server(await load(), listener, { ...options, host });
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** What answers one kind of request. */
interface Route {
  readonly method: 'GET' | 'POST';
  readonly run: (exchange: Exchange, fields: RequestFields) => Promise<void> | void;
}

const NO_FIELDS = new RequestFields({});
/** Milliseconds that a client may take nothing of a stream, unless it is said. */
const TAKE_MS = 60_000;
/** Milliseconds in which answers that were aborted tell it. */
const LAST_WORDS_MS = 2000;

class Server implements ModelServer {
  readonly url: string;
  readonly port: number;
  private readonly service: ModelService;
  private readonly routes: ReadonlyMap<string, Route>;
  private readonly logger: Logger;
  private readonly open = new Set<Promise<void>>();
  private closed: Promise<void> | null = null;

  constructor(
    private readonly model: Model,
    private readonly listener: Listener,
    private readonly options: ServeModelOptions & { readonly host: string },
  ) {
    const { tokenizer, now = () => new Date(), logger = silentLogger } = options;
    this.url = listener.url;
    this.port = listener.port;
    this.logger = logger;
    const created = Math.floor(now().getTime() / 1000);
    const bytesOf = tokenBytes(tokenizer);
    this.service = new ModelService(model, { ...options, now, created, bytesOf });
    this.routes = routesOf(this.service, options.servedName);
    listener.answerWith((request, response) => this.take(request, response));
  }

  get load(): GenerationLoad {
    return this.service.engine.load;
  }

  get contextTokens(): number {
    return this.service.contextTokens;
  }

  get openRequests(): number {
    return this.open.size;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(response, this.options.takeMs ?? TAKE_MS);
    const work = this.answer(request, exchange).finally(() => this.open.delete(work));
    this.open.add(work);
  }

  private async answer(request: IncomingMessage, exchange: Exchange): Promise<void> {
    const began = performance.now();
    const { method = '', url = '/' } = request;
    const path = url.split('?', 1)[0]!;
    // Else a body that nobody reads would hold the connection.
    request.on('error', () => undefined);
    const route = this.routes.get(path);
    try {
      await this.run(route, request, exchange);
    } catch (error) {
      if (!exchange.signal.aborted) exchange.fail(this.problemOf(error, path, route));
    } finally {
      request.resume();
      // Addresses of requests are not ours to print.
      const name = route === undefined ? 'another address' : `${method} ${path}`;
      const seconds = ((performance.now() - began) / 1000).toFixed(2);
      this.logger.debug(`${name} ${exchange.status || 'gone'} ${seconds} s`);
    }
  }

  private async run(
    route: Route | undefined,
    request: IncomingMessage,
    exchange: Exchange,
  ): Promise<void> {
    assertHost(request, this.options.host);
    if (this.closed !== null) {
      throw new ApiProblem(503, 'The server is ending.', {
        ...{ code: 'stopping', headers: { 'retry-after': '5', connection: 'close' } },
      });
    }
    const isHealth = route !== undefined && route === this.routes.get('/health');
    if (!isHealth) assertKey(request, this.options.apiKey ?? null);
    if (route === undefined) {
      const known = [...this.routes.keys()].join(', ');
      throw new ApiProblem(404, `There is no such address; there are ${known}.`, {
        code: 'not_found',
      });
    }
    if (request.method !== route.method) {
      throw new ApiProblem(405, `This address takes ${route.method} only.`, {
        ...{ code: 'method_not_allowed', headers: { allow: route.method } },
      });
    }
    const hasBody = route.method === 'POST';
    const fields = hasBody ? new RequestFields(await readJsonBody(request)) : NO_FIELDS;
    await route.run(exchange, fields);
  }

  /** What a client is told of an error: of ours, that there was one. */
  private problemOf(error: unknown, path: string, route: Route | undefined): ApiProblem {
    if (error instanceof ApiProblem) return error;
    if (this.closed !== null)
      return new ApiProblem(503, 'The server has ended.', { code: 'stopped' });
    if (error instanceof DataError || error instanceof ConfigError) {
      return new ApiProblem(400, error.message);
    }
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    this.logger.warn(`${route === undefined ? 'a request' : path} failed: ${name}`);
    this.logger.debug(message);
    return new ApiProblem(500, 'The model failed.', { code: 'internal_error' });
  }

  close(graceMs = 0): Promise<void> {
    this.closed ??= this.end(graceMs);
    return this.closed;
  }

  private async end(graceMs: number): Promise<void> {
    await this.ended(graceMs);
    await this.service.engine.dispose();
    await this.ended(LAST_WORDS_MS);
    await this.listener.close();
    // Passes of embeddings end with their connections.
    await Promise.all(this.open);
    this.model.dispose();
  }

  /** Waits until all requests are answered, for so many milliseconds at most. */
  private async ended(mostMs: number): Promise<void> {
    if (this.open.size === 0 || mostMs === 0) return;
    const timer = new AbortController();
    const limit = setTimeout(mostMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.open), limit]);
    timer.abort();
  }
}

function routesOf(service: ModelService, servedName: string): ReadonlyMap<string, Route> {
  const get = (answer: () => object): Route => ({
    method: 'GET',
    run: (exchange) => exchange.json(answer()),
  });
  const post = (run: Route['run']): Route => ({ method: 'POST', run });
  return new Map([
    ['/health', get(() => ({ status: 'ok', ...loadOf(service) }))],
    ['/v1/models', get(() => service.models())],
    [`/v1/models/${encodeURIComponent(servedName)}`, get(() => service.modelCard())],
    ['/v1/chat/completions', post((exchange, fields) => service.chat(exchange, fields))],
    ['/v1/completions', post((exchange, fields) => service.complete(exchange, fields))],
    ['/v1/embeddings', post((exchange, fields) => service.embed(exchange, fields))],
    ['/tokenize', post((exchange, fields) => service.tokenize(exchange, fields))],
  ]);
}

function loadOf({ engine }: ModelService) {
  const { activeRows, waitingRequests } = engine.load;
  return { running: activeRows, waiting: waitingRequests };
}
