/**
 * What a client is made from.
 */
import { ConfigError, type Logger, type Random } from '@lab/core';
import type { AnswerStore, CacheMode } from './answer-cache.js';
import type { Capabilities } from './capabilities.js';
import type { TokenUsage } from './chat.js';
import type { Clock } from './clock.js';
import type { Proxies } from './dispatcher.js';
import type { FailureKind } from './llm-failure.js';
import { parseAddress, type ServerAddress } from './redact.js';
import type { EmbeddingStore } from './retrieval/store.js';
import type { RetryLimits } from './retry.js';
import type { Timeouts } from './transport.js';

/** One of several servers of the same model. */
export interface WeightedUrl {
  readonly url: string;
  /** Share of the requests, relative to the others; default 1. */
  readonly weight?: number | undefined;
}

/** Limits that a server has. */
export interface RateLimits {
  readonly requestsPerMinute?: number | undefined;
  /** Of prompt and answer together. */
  readonly tokensPerMinute?: number | undefined;
}

/** What a model costs. */
export interface Prices {
  /** Dollars of a call, or null where no price is known. */
  costUsd(model: string, usage: TokenUsage): number | null;
}

/** What happens inside a client. */
export type ClientEvent =
  | {
      readonly type: 'retry';
      readonly failure: FailureKind;
      readonly status: number | undefined;
      readonly waitMs: number;
    }
  | { readonly type: 'pause'; readonly url: string; readonly waitMs: number }
  | { readonly type: 'parameter'; readonly name: string; readonly replacement: string | null }
  | { readonly type: 'served-model'; readonly before: string; readonly now: string }
  | { readonly type: 'structured-level'; readonly level: string };

/** Settings of {@link createClient}. */
export interface ClientOptions {
  /** E.g. `http://localhost:8000/v1`. This or `baseUrls`. */
  readonly baseUrl?: string | undefined;
  /** Several servers of the same model: prompts that begin alike go to the same one. */
  readonly baseUrls?: readonly (string | WeightedUrl)[] | undefined;
  /** As servers call it. */
  readonly model: string;
  /** Sent as bearer token; never kept elsewhere. */
  readonly apiKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Name of the servers in hashes, so that answers of one are found for the others. Default: the
   * first base URL, without credentials.
   */
  readonly alias?: string | undefined;
  /** Requests at once; default found by trying, from 20, or 8 on this machine. */
  readonly concurrency?: number | undefined;
  /** Default: what the server's headers say. */
  readonly limits?: RateLimits | undefined;
  readonly retries?: RetryLimits | undefined;
  readonly cache?: AnswerStore | undefined;
  /** Default `read-write`. */
  readonly cacheMode?: CacheMode | undefined;
  readonly prices?: Prices | undefined;
  /** Vectors that are there are not asked for; those that come are kept. */
  readonly embeddings?: EmbeddingStore | undefined;
  /** What is known of the servers; default: all that most of them can do. */
  readonly capabilities?: Partial<Capabilities> | undefined;
  /** Whether answers come token by token: no idle connections, and times of first tokens. */
  readonly isStreamed?: boolean | undefined;
  /** Whether prompts are checked for having been cut; default true. */
  readonly isPromptChecked?: boolean | undefined;
  /** File with certificates in PEM that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
  /** Default: those of the environment. */
  readonly proxies?: Proxies | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Largest answer; default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Where waits are drawn from; default a fixed seed. */
  readonly random?: Random | undefined;
  readonly logger?: Logger | undefined;
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** An address and its share of the requests. */
export interface WeightedAddress extends ServerAddress {
  readonly weight: number;
}

/**
 * The addresses of the servers.
 *
 * @throws {ConfigError} for no address, and for one that is no URL.
 */
export function readAddresses(options: ClientOptions): [WeightedAddress, ...WeightedAddress[]] {
  const { baseUrl, baseUrls = [] } = options;
  const all = baseUrl === undefined ? baseUrls : [baseUrl, ...baseUrls];
  const [first, ...others] = all.map((entry) => {
    const { url, weight = 1 } = typeof entry === 'string' ? { url: entry } : entry;
    const address = parseAddress(url);
    if (address !== null) return { ...address, weight };
    // The text itself stays out of the message: it may hold a password.
    throw new ConfigError('llm/client: a base URL is no http or https URL.', {
      help: 'give something like http://localhost:8000/v1.',
    });
  });
  if (first === undefined) {
    throw new ConfigError('llm/client: there is no base URL.', {
      help: 'give the address of a server, e.g. http://localhost:8000/v1.',
    });
  }
  return [first, ...others];
}

/**
 * The headers of all requests to one server, as names and values by turns.
 *
 * @throws {ConfigError} for a key that cannot stand in a header.
 */
export function requestHeaders(options: ClientOptions, address: ServerAddress): string[] {
  const headers = new Map([
    ['content-type', 'application/json'],
    ['accept', 'application/json'],
    ['user-agent', 'lab-llm'],
  ]);
  if (options.apiKey !== undefined) headers.set('authorization', `Bearer ${options.apiKey}`);
  else if (address.credentials !== null) {
    headers.set('authorization', `Basic ${Buffer.from(address.credentials).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers.set(name.toLowerCase(), value);
  }
  for (const [name, value] of headers) {
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    throw new ConfigError(`llm/client: the header ${name} holds characters that none may hold.`, {
      help: 'look whether the key was read with a line end.',
    });
  }
  return [...headers].flat();
}

/** All that must not be shown. */
export function secretsOf(options: ClientOptions, addresses: readonly ServerAddress[]): string[] {
  const isSecret = /auth|key|token|cookie|secret/i;
  const headers = Object.entries(options.headers ?? {});
  const fromUrls = addresses.flatMap(({ credentials, query }) => [
    credentials ?? '',
    credentials?.split(':').slice(1).join(':') ?? '',
    credentials === null ? '' : Buffer.from(credentials).toString('base64'),
    ...new URLSearchParams(query).values(),
  ]);
  return [
    options.apiKey ?? '',
    ...headers
      .filter(([name]) => isSecret.test(name))
      // With its scheme and without, as in `Bearer KEY`.
      .flatMap(([, value]) => [value, value.split(' ').at(-1) ?? '']),
    ...fromUrls,
  ];
}
