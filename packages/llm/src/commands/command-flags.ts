/** The flags of commands that ask models, by topic. */
import type { CliOption } from '@lab/core/cli';
import { underTopic } from './flag-values.js';
import { serverFlags } from './server-flags.js';

/** Flags of the server and its model. */
export const modelFlags: readonly CliOption[] = underTopic('model', [
  {
    flags: '--base-url <url>',
    summary: 'server; of several, prompts that begin alike go to the same',
    kind: 'repeated',
    unit: 'default LAB_BASE_URL',
  },
  { flags: '--alias <name>', summary: 'name of the server in hashes, shared by replicas' },
  { flags: '--model <name>', summary: 'as the server calls it' },
  { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
  { flags: '--ca <file>', summary: 'certificates to trust besides the usual ones, PEM' },
]);

/** Flags of time limits, and of how often a server is asked. */
export const waitingFlags: readonly CliOption[] = underTopic('waiting', serverFlags);

/** Flags of calls: how many at once, and where answers are kept. */
export const callFlags: readonly CliOption[] = underTopic('work', [
  { flags: '--concurrency <n>', summary: 'requests at once; default found', kind: 'integer' },
  { flags: '--cache <mode>', summary: 'off, read, write or refresh', unit: 'default write' },
  { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
  { flags: '--record <dir>', summary: 'keeps requests and answers for --replay' },
  { flags: '--replay <dir>', summary: 'takes the answers of a recording, and asks no server' },
]);

/**
 * Flags of the rows of a run: its shard, and how many may fail.
 *
 * @param rows - what they are, in the plural, e.g. `pairs`.
 */
export function rowFlags(rows: string): readonly CliOption[] {
  return underTopic('work', [
    { flags: '--shard <i/k>', summary: `one of k parts of the ${rows}, i from 0` },
    {
      flags: '--max-errors <n|p%>',
      summary: `failed ${rows} to put up with`,
      unit: 'default 0',
    },
  ]);
}

/** Flags of what a run may spend. */
export const budgetFlags: readonly CliOption[] = underTopic('budget', [
  { flags: '--prices <file>', summary: 'price list, JSON' },
  { flags: '--budget-usd <usd>', summary: 'the run costs no more', kind: 'number' },
  { flags: '--max-calls <n>', summary: 'the run asks no more', kind: 'integer' },
  { flags: '--max-total-tokens <n>', summary: 'the run takes no more', kind: 'integer' },
]);

/**
 * Flags of where a run is kept.
 *
 * @param rows - what it consists of, in the plural, e.g. `pairs`.
 * @param changed - what may have changed since they were finished, e.g. `prompt or model`.
 */
export function outputFlags(rows: string, changed = 'settings'): readonly CliOption[] {
  return underTopic('output', [
    { flags: '--out <dir>', summary: 'folder of the run' },
    { flags: '--resume [dir]', summary: 'go on with the run in --out, or in this folder' },
    { flags: '--allow-mixed', summary: `keep finished ${rows} although ${changed} changed` },
    { flags: '--dry-run', summary: 'say what would be asked, then stop' },
  ]);
}

/**
 * All flags of a run that asks a model: those of the model, of waiting, of work, of the budget and
 * of where it is kept.
 *
 * @param rows - what it consists of, in the plural, e.g. `pairs`.
 */
export function runFlags(rows: string): readonly CliOption[] {
  return [
    ...modelFlags,
    ...callFlags,
    ...rowFlags(rows),
    ...waitingFlags,
    ...budgetFlags,
    ...outputFlags(rows),
  ];
}
