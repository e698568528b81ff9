/** Which server and model are asked and how, as the flags say. */
import { join } from 'node:path';
import { ConfigError } from '@lab/core';
import type { CacheMode } from '../answer-cache.js';
import type { ClientOptions } from '../client-options.js';
import { parseAddress } from '../redact.js';
import { countOf, type FlagValues, textOf } from './flag-values.js';
import { apiKeyOf } from './option-files.js';
import { serverSettings } from './server-flags.js';

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Which server and model are asked, and how. */
export interface ModelSettings {
  readonly model: string;
  /** The first server; `recording` where no server is asked. */
  readonly baseUrl: string;
  /** Further servers of the same model. */
  readonly replicas: readonly string[];
  readonly alias: string | undefined;
  /** Names the server in records, without credentials. */
  readonly serverName: string;
  readonly apiKey: string | undefined;
  readonly ca: string | undefined;
  /** How long the server is waited for, and how often it is asked. */
  readonly server: Pick<ClientOptions, 'isStreamed' | 'retries' | 'timeouts'>;
  readonly concurrency: number | undefined;
  readonly cacheMode: CacheMode;
  readonly cacheDir: string;
  /** Folder that gets requests and answers. */
  readonly record: string | undefined;
  /** Folder that has the answers; no server is asked. */
  readonly replay: string | undefined;
  readonly pricesFile: string | undefined;
}

/** How {@link readModelSettings} reads. */
export interface ModelSettingsOptions {
  /** Ends the help where a flag is missing, e.g. `"llm run -h" shows an example.` */
  readonly hint: string;
  /** Default: that of the process. */
  readonly env?: Environment | undefined;
}

/** Stands for the server of a recording. */
const recordedServer = 'recording';

/**
 * Which server and model flags and environment name.
 *
 * @throws {ConfigError} for a missing model or address, and for numbers and words that make no
 *   sense.
 * @throws {DataError} for a file of the key that cannot be read.
 */
export function readModelSettings(
  options: FlagValues,
  { hint, env = process.env }: ModelSettingsOptions,
): ModelSettings {
  const text = (name: string) => textOf(options, name);
  const model = text('model') ?? '';
  if (model === '') throw missingFlag('--model NAME', 'as the server calls it', hint);
  const [record, replay, alias] = [text('record'), text('replay'), text('alias')];
  if (record !== undefined && replay !== undefined) {
    throw new ConfigError('--record and --replay do not go together: nothing is asked.');
  }
  const urls = replay === undefined ? urlsOf(options, env) : [recordedServer];
  const [baseUrl = '', ...replicas] = urls;
  if (urls.length === 0 || urls.includes('')) {
    const what = 'e.g. http://localhost:8000/v1, or set LAB_BASE_URL';
    throw missingFlag('--base-url URL', what, hint);
  }
  const address = replay === undefined ? (parseAddress(baseUrl)?.url ?? 'unknown') : baseUrl;
  return {
    ...{ model, baseUrl, replicas, alias, serverName: alias ?? address },
    ...{ apiKey: apiKeyOf(text('apiKeyFile'), env), ca: text('ca') },
    server: serverSettings(options),
    concurrency: countOf(options, 'concurrency', '--concurrency'),
    cacheMode: cacheModeOf(text('cache') ?? 'write'),
    cacheDir: text('cacheDir') ?? join(env['LAB_CACHE'] ?? '.lab-cache', 'llm'),
    ...{ record, replay, pricesFile: text('prices') },
  };
}

/** Addresses of one server, or of several with the same model; an empty one is none. */
function urlsOf(options: FlagValues, env: Environment): string[] {
  const given = options['baseUrl'] ?? env['LAB_BASE_URL'] ?? env['OPENAI_BASE_URL'] ?? [];
  return (Array.isArray(given) ? given : [given]).map((url: unknown) =>
    typeof url === 'string' ? url : '',
  );
}

const cacheModes: Readonly<Record<string, CacheMode>> = {
  off: 'off',
  read: 'read',
  write: 'read-write',
  refresh: 'refresh',
};

function cacheModeOf(text: string): CacheMode {
  const mode = Object.hasOwn(cacheModes, text) ? cacheModes[text] : undefined;
  if (mode !== undefined) return mode;
  throw new ConfigError(`--cache ${JSON.stringify(text)} is none of off, read, write, refresh.`);
}

/**
 * The error for a flag that a command needs and does not have.
 *
 * @param flag - with its value, e.g. `--model NAME`.
 * @param what - says what the value is.
 * @param hint - ends the help, e.g. `"llm run -h" shows an example.`
 */
export function missingFlag(flag: string, what: string, hint: string): ConfigError {
  return new ConfigError(`${flag} is missing.`, { help: `give it (${what}); ${hint}` });
}

/** The options of a client of the server: its addresses, and how it is asked and waited for. */
export function clientOptionsOf(settings: ModelSettings): ClientOptions {
  const { baseUrl, replicas, alias, model, apiKey, ca, concurrency, server } = settings;
  return { baseUrl, baseUrls: replicas, alias, model, apiKey, ca, concurrency, ...server };
}
