/** The flags that say who is asked, what it may cost, and where the run is kept. */
import { dirname, join } from 'node:path';
import { ConfigError, readRunRecord } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import {
  type Budget,
  type CacheMode,
  type ErrorLimit,
  parseErrorLimit,
  parseShard,
  type Shard,
} from '@lab/llm';
import { countOf, numberOf, textOf } from './data-options.js';

const flags = (topic: string, options: readonly Omit<CliOption, 'topic'>[]): readonly CliOption[] =>
  options.map((option) => ({ ...option, topic }));

/** Flags of the model. */
export const modelFlags: readonly CliOption[] = flags('model', [
  { flags: '--base-url <url>', summary: 'server', unit: 'default LAB_BASE_URL' },
  { flags: '--model <name>', summary: 'as the server calls it' },
  { flags: '--alias <name>', summary: 'name of the server in hashes, shared by replicas' },
  { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
  { flags: '--concurrency <n>', summary: 'calls at once; default found', kind: 'integer' },
  { flags: '--cache <mode>', summary: 'off, read, write or refresh', unit: 'default write' },
  { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
  { flags: '--record <dir>', summary: 'keeps requests and answers for --replay' },
  { flags: '--replay <dir>', summary: 'takes the answers of a recording, and asks no server' },
]);

/** Flags of a run that asks a model. */
export const runFlags: readonly CliOption[] = [
  ...modelFlags,
  ...flags('work', [
    { flags: '--shard <i/k>', summary: 'one of k parts of the questions, i from 0' },
    { flags: '--max-errors <n|p%>', summary: 'failed rows to put up with', unit: 'default 0' },
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
    { flags: '--allow-mixed', summary: 'keep finished rows although settings changed' },
    { flags: '--dry-run', summary: 'say what would be asked, then stop' },
  ]),
];

type Flags = Readonly<Record<string, unknown>>;

/** Where a run is kept, and how far it may go. */
export interface RunSettings {
  readonly out: string;
  readonly isResumed: boolean;
  readonly allowMixed: boolean;
  readonly isDryRun: boolean;
  readonly shard: Shard | undefined;
  readonly maxErrors: ErrorLimit | undefined;
  readonly budget: Budget;
  readonly concurrency: number | undefined;
}

/** Flags of a process and not of its run: a run that goes on does not take them over. */
const ownFlags = new Set([
  ...['resume', 'allowMixed', 'dryRun', 'apiKeyFile', 'budgetUsd', 'maxCalls', 'maxTotalTokens'],
  ...['maxErrors', 'out', 'shard', 'json', 'quiet', 'debug', 'record'],
]);

/** The flags that whoever goes on with a run takes over. */
export function passedFlags(options: Flags): Record<string, unknown> {
  const kept = Object.entries(options).filter(([name]) => !ownFlags.has(name));
  return Object.fromEntries(
    kept.map(([name, value]) => [name, name === 'baseUrl' ? withoutCredentials(value) : value]),
  );
}

function withoutCredentials(url: unknown): unknown {
  return typeof url === 'string' ? url.replace(/:\/\/[^/@]*@/, '://') : url;
}

/** The command as passed, without what may be a key. */
export function passedCommand(): string[] {
  const words = process.argv.slice(2).map((word) => String(withoutCredentials(word)));
  return ['loong', ...words.map((word) => word.replace(/(:\/\/[^?\s]*)\?.*/, '$1'))];
}

/** The flags given, and under them those of the run that goes on. */
export function withEarlierFlags(given: Flags): Flags {
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

/**
 * The settings of a run; its folder may be given otherwise.
 *
 * @throws {ConfigError} for what is missing or wrong.
 */
export function readRunSettings(options: Flags, folder?: string): RunSettings {
  const [given, shard, maxErrors] = ['out', 'shard', 'maxErrors'].map((name) =>
    textOf(options, name),
  );
  const isDryRun = options['dryRun'] === true;
  const out = given ?? folder;
  if (out === undefined && !isDryRun) {
    throw new ConfigError('--out DIR is missing.', {
      help: 'name a folder for the run, e.g. --out runs/first.',
    });
  }
  const usd = numberOf(options, 'budgetUsd');
  if (usd !== undefined && usd <= 0) throw new ConfigError('--budget-usd must be above 0.');
  return {
    out: out ?? '',
    isResumed: options['resume'] !== undefined,
    allowMixed: options['allowMixed'] === true,
    isDryRun,
    shard: shard === undefined ? undefined : parseShard(shard),
    maxErrors: maxErrors === undefined ? undefined : parseErrorLimit(maxErrors),
    budget: {
      maxCalls: countOf(options, 'maxCalls', '--max-calls'),
      maxTotalTokens: countOf(options, 'maxTotalTokens', '--max-total-tokens'),
      budgetUsd: usd,
    },
    concurrency: countOf(options, 'concurrency', '--concurrency'),
  };
}

const cacheModes: Readonly<Record<string, CacheMode>> = {
  ...{ off: 'off', read: 'read', write: 'read-write', refresh: 'refresh' },
};

/** What `--cache` says. @throws {ConfigError} for another word. */
export function cacheModeOf(text: string): CacheMode {
  const mode = Object.hasOwn(cacheModes, text) ? cacheModes[text] : undefined;
  if (mode !== undefined) return mode;
  throw new ConfigError(`--cache ${JSON.stringify(text)} is none of off, read, write, refresh.`);
}
