/** The flags of `llm run`, and the settings that they make. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError, DataError, readRunRecord, sha256 } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import { z } from 'zod';
import type { CacheMode } from '../answer-cache.js';
import type { ChatRequest } from '../chat.js';
import { systemCode } from '../disk-problem.js';
import { type PromptTemplate, readPrompt } from '../prompt.js';
import { parseAddress } from '../redact.js';
import type { QueueRate } from '../queue/queue-rate.js';
import type { Budget } from '../rows/budget.js';
import { type ErrorLimit, parseErrorLimit } from '../rows/error-limit.js';
import type { FileRow } from '../rows/row-file.js';
import { parseShard, type Shard } from '../rows/shard.js';
import { queueFlags, queueOf } from './queue-options.js';

const cacheModes: Readonly<Record<string, CacheMode>> = {
  off: 'off',
  read: 'read',
  write: 'read-write',
  refresh: 'refresh',
};

const flags = (topic: string, options: readonly Omit<CliOption, 'topic'>[]): readonly CliOption[] =>
  options.map((option) => ({ ...option, topic }));

/** The flags of `llm run`. */
export const runOptions: readonly CliOption[] = [
  ...flags('what is asked', [
    { flags: '--data <file>', summary: 'rows with ids: JSON lines, CSV or TSV' },
    { flags: '--id-field <name>', summary: 'field that names a row', unit: 'default id' },
    { flags: '--prompt <file>', summary: 'template: {{field}}, or {{field|block}} for data' },
    { flags: '--system <file>', summary: 'template of a system message' },
    { flags: '--schema <file>', summary: 'JSON schema that answers must fit' },
  ]),
  ...flags('model', [
    { flags: '--base-url <url>', summary: 'server', unit: 'default LAB_BASE_URL' },
    { flags: '--alias <name>', summary: 'name of the server in hashes, shared by replicas' },
    { flags: '--model <name>', summary: 'as the server calls it' },
    { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
    { flags: '--temperature <t>', summary: 'of sampling', kind: 'number', unit: 'default 0' },
    { flags: '--top-p <p>', summary: 'of sampling', kind: 'number', unit: 'default 1' },
    { flags: '--max-tokens <n>', summary: 'of an answer', kind: 'integer', unit: 'default 1024' },
    { flags: '--stop <text>', summary: 'ends an answer', kind: 'repeated' },
    { flags: '--seed <n>', summary: 'sent to the server', kind: 'integer' },
    { flags: '--extra <json>', summary: 'further keys of the request, as one JSON object' },
  ]),
  ...flags('work', [
    { flags: '--concurrency <n>', summary: 'requests at once; default found', kind: 'integer' },
    { flags: '--shard <i/k>', summary: 'one of k parts of the rows, i from 0' },
    ...queueFlags,
    { flags: '--max-errors <n|p%>', summary: 'failed rows to put up with', unit: 'default 0' },
    { flags: '--cache <mode>', summary: 'off, read, write or refresh', unit: 'default write' },
    { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
  ]),
  ...flags('budget', [
    { flags: '--prices <file>', summary: 'price list, JSON' },
    { flags: '--budget-usd <usd>', summary: 'the run costs no more', kind: 'number' },
    { flags: '--max-calls <n>', summary: 'the run asks no more', kind: 'integer' },
    { flags: '--max-total-tokens <n>', summary: 'the run takes no more', kind: 'integer' },
  ]),
  ...flags('output', [
    { flags: '--out <dir>', summary: 'folder of the run' },
    { flags: '--resume [dir]', summary: 'go on with the run in --out, or in this folder' },
    { flags: '--allow-mixed', summary: 'keep finished rows although prompt or model changed' },
    { flags: '--dry-run', summary: 'say what would be asked, then stop' },
  ]),
];

/** What a run is made from. */
export interface RunSettings {
  readonly data: string;
  readonly idField: string;
  readonly prompt: PromptTemplate;
  readonly system: PromptTemplate | null;
  readonly schema: z.ZodType | null;
  readonly baseUrl: string;
  readonly alias: string | undefined;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly sampling: Omit<ChatRequest, 'messages'>;
  readonly concurrency: number | undefined;
  readonly shard: Shard | undefined;
  /** Redis, where other processes ask the server. */
  readonly queue: string | undefined;
  readonly queueRate: QueueRate | undefined;
  readonly maxErrors: ErrorLimit | undefined;
  readonly cacheMode: CacheMode;
  readonly cacheDir: string;
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
  const baseUrl = text('baseUrl') ?? env['LAB_BASE_URL'] ?? env['OPENAI_BASE_URL'];
  const promptFile = needed(text('prompt'), '--prompt FILE');
  const prompt = readPrompt(promptFile);
  const systemFile = text('system');
  const system = systemFile === undefined ? null : readPrompt(systemFile);
  const schemaFile = text('schema');
  const schemaText = schemaFile === undefined ? null : readText(schemaFile, 'the schema');
  const sampling = samplingOf(options);
  const model = needed(text('model'), '--model NAME');
  const shard = text('shard');
  const maxErrors = text('maxErrors');
  const url = needed(baseUrl, '--base-url URL');
  return {
    data: needed(text('data'), '--data FILE'),
    idField: text('idField') ?? 'id',
    prompt,
    system,
    schema: schemaText === null ? null : parseSchema(schemaText, schemaFile ?? ''),
    baseUrl: url,
    alias: text('alias'),
    model,
    apiKey: apiKeyOf(text('apiKeyFile'), env),
    sampling,
    concurrency: countOf(options, 'concurrency', '--concurrency'),
    shard: shard === undefined ? undefined : parseShard(shard),
    ...queueOf(text),
    maxErrors: maxErrors === undefined ? undefined : parseErrorLimit(maxErrors),
    cacheMode: cacheModeOf(text('cache') ?? 'write'),
    cacheDir: text('cacheDir') ?? join(env['LAB_CACHE'] ?? '.lab-cache', 'llm'),
    pricesFile: text('prices'),
    budget: budgetOf(options),
    out: needed(text('out'), '--out DIR'),
    isResumed: options['resume'] !== undefined,
    allowMixed: options['allowMixed'] === true,
    isDryRun: options['dryRun'] === true,
    config: {
      model,
      server: text('alias') ?? parseAddress(url)?.url ?? 'unknown',
      prompt: sha256(prompt.text),
      system: system === null ? null : sha256(system.text),
      schema: schemaText === null ? null : sha256(schemaText),
      sampling,
      idField: text('idField') ?? 'id',
    },
    passed: passedOf(options),
  };
}

/** Flags that are of one call and not of the run. The address of a Redis may hold a password. */
const ownFlags = new Set(['resume', 'dryRun', 'allowMixed', 'out', 'shard', 'queue', 'queueRate']);

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
  const address = typeof baseUrl === 'string' ? parseAddress(baseUrl) : null;
  return address === null ? others : { ...others, baseUrl: address.url };
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

/** The key in a file, else that of the environment. */
export function apiKeyOf(file: string | undefined, env: Environment): string | undefined {
  if (file === undefined) return env['LAB_API_KEY'] ?? env['OPENAI_API_KEY'];
  return readText(file, 'the key').trim();
}

function parseSchema(text: string, file: string): z.ZodType {
  try {
    return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${file}: no JSON schema that can be used (${why}).`, {
      file,
      help: 'give a JSON Schema of draft 2020-12, 7 or 4.',
      cause,
    });
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === '') throw cause;
    const why = existsSync(file) ? 'no permission, or a folder' : 'no such file';
    throw new DataError(`cannot read ${what} in ${file}: ${why}.`, { file, cause });
  }
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
