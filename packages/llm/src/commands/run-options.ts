/** The settings that the flags of `llm run` make. */
import { dirname, join } from 'node:path';
import { ConfigError, readRunRecord, sha256 } from '@lab/core';
import type { z } from 'zod';
import type { CacheMode } from '../answer-cache.js';
import { structuredLevels } from '../capabilities.js';
import type { ChatRequest, StructuredLevel } from '../chat.js';
import { type PromptTemplate, readPrompt } from '../prompt.js';
import { parseAddress } from '../redact.js';
import type { QueueRate } from '../queue/queue-rate.js';
import type { Budget } from '../rows/budget.js';
import { type ErrorLimit, parseErrorLimit } from '../rows/error-limit.js';
import type { FileRow } from '../rows/row-file.js';
import { parseShard, type Shard } from '../rows/shard.js';
import { readText } from '../text-file.js';
import { apiKeyOf, parseSchema } from './option-files.js';
import { queueOf } from './queue-options.js';
import { serverSettings } from './server-flags.js';

const cacheModes: Readonly<Record<string, CacheMode>> = {
  off: 'off',
  read: 'read',
  write: 'read-write',
  refresh: 'refresh',
};

/** What a run is made from. */
export interface RunSettings {
  readonly data: string;
  readonly idField: string;
  readonly prompt: PromptTemplate;
  readonly system: PromptTemplate | null;
  readonly schema: z.ZodType | null;
  /** How the server is told the schema, where the user says so. */
  readonly structured: StructuredLevel | undefined;
  readonly baseUrl: string;
  /** Further servers of the same model. */
  readonly replicas: readonly string[];
  readonly alias: string | undefined;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly ca: string | undefined;
  /** How long the server is waited for, and how often it is asked. */
  readonly server: ReturnType<typeof serverSettings>;
  readonly sampling: Omit<ChatRequest, 'messages'>;
  readonly concurrency: number | undefined;
  readonly shard: Shard | undefined;
  /** Redis, where other processes ask the server. */
  readonly queue: string | undefined;
  readonly queueRate: QueueRate | undefined;
  readonly maxErrors: ErrorLimit | undefined;
  readonly cacheMode: CacheMode;
  readonly cacheDir: string;
  /** Folder that gets requests and answers. */
  readonly record: string | undefined;
  /** Folder that has the answers; no server is asked. */
  readonly replay: string | undefined;
  readonly pricesFile: string | undefined;
  readonly budget: Budget;
  readonly out: string;
  readonly isResumed: boolean;
  readonly allowMixed: boolean;
  readonly isDryRun: boolean;
  /** What decides the answers, for `run.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The flags as given, without secrets, for `--resume DIR`. */
  readonly passed: Readonly<Record<string, unknown>>;
}

type Flags = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings that flags make; `--resume DIR` takes what is not given from that run.
 *
 * @throws {ConfigError} for what is missing or wrong, {@link DataError} for files.
 */
export function readRunSettings(given: Flags, env: Environment): RunSettings {
  const options = withEarlier(given);
  const text = (name: string) => textOf(options, name);
  const { config: asked, ...templates } = askedOf(text);
  const sampling = samplingOf(options);
  const model = needed(text('model'), '--model NAME');
  const shard = text('shard');
  const maxErrors = text('maxErrors');
  const replay = replayOf(text);
  const [url, ...replicas] = replay === undefined ? urlsOf(options, env) : [recordedServer];
  const idField = text('idField') ?? 'id';
  const address = replay === undefined ? (parseAddress(url)?.url ?? 'unknown') : recordedServer;
  return {
    data: needed(text('data'), '--data FILE'),
    idField,
    ...templates,
    baseUrl: url,
    replicas,
    alias: text('alias'),
    model,
    apiKey: apiKeyOf(text('apiKeyFile'), env),
    ca: text('ca'),
    server: serverSettings(options),
    sampling,
    concurrency: countOf(options, 'concurrency', '--concurrency'),
    shard: shard === undefined ? undefined : parseShard(shard),
    ...queueOf(text),
    maxErrors: maxErrors === undefined ? undefined : parseErrorLimit(maxErrors),
    cacheMode: cacheModeOf(text('cache') ?? 'write'),
    cacheDir: text('cacheDir') ?? join(env['LAB_CACHE'] ?? '.lab-cache', 'llm'),
    record: text('record'),
    replay,
    pricesFile: text('prices'),
    budget: budgetOf(options),
    out: needed(text('out'), '--out DIR'),
    isResumed: options['resume'] !== undefined,
    allowMixed: options['allowMixed'] === true,
    isDryRun: options['dryRun'] === true,
    config: { model, server: text('alias') ?? address, ...asked, sampling, idField },
    passed: passedOf(options),
  };
}

/** Addresses of one server, or of several with the same model. */
function urlsOf(options: Flags, env: Environment): readonly [string, ...string[]] {
  const given = options['baseUrl'] ?? env['LAB_BASE_URL'] ?? env['OPENAI_BASE_URL'];
  const [first, ...others] = (Array.isArray(given) ? given : [given]).map((url: unknown) =>
    needed(typeof url === 'string' ? url : undefined, '--base-url URL'),
  );
  return [needed(first, '--base-url URL'), ...others];
}

type TextOf = (name: string) => string | undefined;

/** Prompts and schema, and what `run.json` has of them. */
function askedOf(text: TextOf) {
  const prompt = readPrompt(needed(text('prompt'), '--prompt FILE'));
  const systemFile = text('system');
  const system = systemFile === undefined ? null : readPrompt(systemFile);
  const schemaFile = text('schema');
  const schemaText = schemaFile === undefined ? null : readText(schemaFile, 'the schema');
  const structured = structuredOf(text('structured'));
  return {
    prompt,
    system,
    schema: schemaText === null ? null : parseSchema(schemaText, schemaFile ?? ''),
    structured,
    config: {
      prompt: sha256(prompt.text),
      system: system === null ? null : sha256(system.text),
      schema: schemaText === null ? null : sha256(schemaText),
      structured: structured ?? null,
    },
  };
}

/** Stands for the server of a recording. */
const recordedServer = 'recording';

/** @throws {ConfigError} for what does not go with a recording. */
function replayOf(text: TextOf): string | undefined {
  const replay = text('replay');
  const other = ['queue', 'record'].find((name) => text(name) !== undefined);
  if (replay === undefined || other === undefined) return replay;
  throw new ConfigError(`--${other} and --replay do not go together: nothing is asked.`);
}

function structuredOf(text: string | undefined): StructuredLevel | undefined {
  const level = structuredLevels.find((one) => one === text);
  if (text === undefined || level !== undefined) return level;
  const known = structuredLevels.join(', ');
  throw new ConfigError(`--structured ${JSON.stringify(text)} is none of ${known}.`);
}

/** Flags that are of one call and not of the run. The address of a Redis may hold a password. */
const ownFlags = new Set([
  ...['resume', 'dryRun', 'allowMixed', 'out', 'shard', 'queue', 'queueRate', 'record'],
]);

/** The flags of the run that goes on, under those that are given now. */
function withEarlier(given: Flags): Flags {
  const dir = given['resume'];
  if (typeof dir !== 'string') return given;
  const { passed, resolved } = readRunRecord(dir).config;
  const { shard = null } = (resolved ?? {}) as { readonly shard?: Shard | null };
  const place =
    shard === null
      ? { out: dir }
      : { out: dirname(join(dir)), shard: `${shard.index}/${shard.count}` };
  return { ...(passed as Flags | undefined), ...place, ...given };
}

function passedOf(options: Flags): Flags {
  const kept = Object.entries(options).filter(([name]) => !ownFlags.has(name));
  const { baseUrl, ...others } = Object.fromEntries(kept);
  const urls = (Array.isArray(baseUrl) ? baseUrl : [baseUrl]).flatMap((url: unknown) => {
    const address = typeof url === 'string' ? parseAddress(url) : null;
    return address === null ? [] : [address.url];
  });
  const [first, ...further] = urls;
  if (first === undefined) return others;
  return { ...others, baseUrl: further.length === 0 ? first : urls };
}

function samplingOf(options: Flags): RunSettings['sampling'] {
  const number = (name: string) => {
    const value = options[name];
    return typeof value === 'number' ? value : undefined;
  };
  const [seed, stop] = [number('seed'), options['stop']];
  const extra = textOf(options, 'extra');
  return {
    temperature: number('temperature') ?? 0,
    topP: number('topP') ?? 1,
    maxTokens: countOf(options, 'maxTokens', '--max-tokens') ?? 1024,
    ...(Array.isArray(stop) ? { stop: stop.map(String) } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(extra === undefined ? {} : { extra: parseExtra(extra) }),
  };
}

function parseExtra(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ConfigError('--extra is no JSON object.', { help: `write --extra '{"top_k": 20}'.` });
}

function budgetOf(options: Flags): Budget {
  const usd = options['budgetUsd'];
  if (typeof usd === 'number' && usd <= 0) throw new ConfigError('--budget-usd must be above 0.');
  return {
    maxCalls: countOf(options, 'maxCalls', '--max-calls'),
    maxTotalTokens: countOf(options, 'maxTotalTokens', '--max-total-tokens'),
    budgetUsd: typeof usd === 'number' ? usd : undefined,
  };
}

function countOf(options: Flags, name: string, flag: string): number | undefined {
  const value = options[name];
  if (typeof value !== 'number') return undefined;
  if (value >= 1) return value;
  throw new ConfigError(`${flag} is ${value} and must be at least 1.`);
}

function cacheModeOf(text: string): CacheMode {
  const mode = cacheModes[text];
  if (mode !== undefined) return mode;
  throw new ConfigError(`--cache ${JSON.stringify(text)} is none of off, read, write, refresh.`);
}

function textOf(options: Flags, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function needed(value: string | undefined, flag: string): string {
  if (value !== undefined && value !== '') return value;
  throw new ConfigError(`${flag} is missing.`, { help: '"llm run -h" shows an example.' });
}

/** The request of a row. */
export function requestOf(row: FileRow, settings: RunSettings): ChatRequest {
  const { prompt, system, sampling } = settings;
  const messages: ChatRequest['messages'] = [
    ...(system === null ? [] : [{ role: 'system', content: system.fill(row) } as const]),
    { role: 'user', content: prompt.fill(row) },
  ];
  return { messages, ...sampling };
}
