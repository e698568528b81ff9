/**
 * What the verbs that score heads read: settings, prompts, and the model.
 */
import { resolve } from 'node:path';
import {
  ConfigError,
  DataError,
  formatCounted,
  readRunRecord,
  type ResolvedConfig,
  sha256,
} from '@lab/core';
import {
  type CliContext,
  type CliInput,
  type CliOption,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import { encodePrompt, type PromptData, promptsHash } from '@lab/transformer';
import {
  formatFlags,
  modelFlags,
  type OpenedModel,
  openModel,
  promptFlags,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { ablationRemarks, headCounts, resolveAblation } from '../ablation.js';
import { type Config, configuredAblation, saharaConfig } from '../config.js';
import { assertHeads, type HeadId, parseHead } from '../head.js';
import type { TokenPrompt } from '../head-outputs.js';
import type { ScanLimits } from '../scan-batches.js';
import { ablationOptions } from './head-options.js';

/** Flags of the ablation; what is left out is said by settings. */
const ablationFlags: readonly CliOption[] = ablationOptions.map(({ default: _, ...one }) => one);

/** Flags of every verb that scores heads. */
export const scoreFlags: readonly CliOption[] = [
  ...modelFlags,
  ...promptFlags,
  { flags: '--prompt <text>', summary: 'one prompt in place of a file', topic: 'prompts' },
  ...formatFlags,
  ...ablationFlags,
  ...configOptions(saharaConfig),
];

/** Where results go. */
export const runFlags: readonly CliOption[] = [
  { flags: '-o, --out <dir>', summary: 'folder of the run', unit: 'default a new one below runs' },
  { flags: '--resume <dir>', summary: 'go on with a run, its settings taken over' },
];

/** Where results go, as the flags say. */
export const placeOf = ({ options }: CliInput) => ({
  out: options['out'] as string | undefined,
  resume: options['resume'] as string | undefined,
});

/** Everything that a scan is given. */
export interface ScoreInput {
  readonly resolved: ResolvedConfig<Config>;
  readonly opened: OpenedModel;
  readonly data: PromptData;
  readonly prompts: readonly TokenPrompt[];
  /** Tokens of other prompts, written in the same way. */
  readonly tokensOf: (data: PromptData) => TokenPrompt[];
}

/** Settings of the flags. */
export function scoreConfig({ options }: CliInput): Promise<ResolvedConfig<Config>> {
  return readConfigInput(saharaConfig, options, {
    'ablation.kind': options['ablation'],
    'ablation.site': options['site'],
    'ablation.eps': options['eps'],
    'ablation.granularity': options['granularity'],
    'search.size': options['size'],
    'scores.measure': options['measure'],
    'scan.screenedShare': options['screen'],
  });
}

/**
 * Reads settings and prompts, then the model; dispose the model.
 *
 * @throws as the readers do, before any pass.
 */
export async function openScoreInput(context: CliContext, input: CliInput): Promise<ScoreInput> {
  const given = await scoreConfig(input);
  const data = await promptsOf(context, input);
  const opened = await openModel(context, input);
  try {
    const { architecture } = opened.model;
    const defaults = { ...given.config.prompts, system: given.config.prompts.system || undefined };
    const format = promptFormatOf(input, opened.tokenizer, defaults);
    const ablation = resolveAblation(configuredAblation(given.config), architecture);
    for (const remark of ablationRemarks(architecture, ablation)) {
      context.note(`remark   ${remark}`);
    }
    const maxTokens = architecture.contextTokens ?? undefined;
    const tokensOf = ({ records }: PromptData): TokenPrompt[] => {
      let cut = 0;
      const prompts = records.map(({ id, prompt }): TokenPrompt => {
        const { ids, cutTokens } = encodePrompt(opened.tokenizer, prompt, { ...format, maxTokens });
        cut += cutTokens > 0 ? 1 : 0;
        return { id, ids };
      });
      if (cut > 0) context.note(`cut      ${formatCounted(cut, 'prompt')}`);
      return prompts;
    };
    const written = {
      format: format.format ?? given.config.prompts.format,
      system: format.system ?? '',
      truncate: format.truncate ?? 'none',
    };
    const config: Config = { ...given.config, prompts: written };
    return { resolved: { ...given, config }, opened, data, prompts: tokensOf(data), tokensOf };
  } catch (error) {
    opened.model.dispose();
    throw error;
  }
}

async function promptsOf(context: CliContext, input: CliInput): Promise<PromptData> {
  const prompt = input.options['prompt'];
  if (typeof prompt !== 'string') return readPrompts(context, input);
  if (input.options['prompts'] !== undefined) {
    throw new ConfigError('sahara: --prompt and --prompts are both given.', {
      help: 'Give one of the two.',
    });
  }
  const file = { path: '--prompt', sha256: sha256(prompt), bytes: Buffer.byteLength(prompt) };
  const records = [{ id: '1', prompt }];
  return {
    ...{ file, column: null, records, rowCount: 1, duplicateCount: 0 },
    sha256: promptsHash(records),
  };
}

/** Heads of `--group`, checked. */
export function groupOf({ options }: CliInput, { resolved, opened }: ScoreInput): HeadId[] {
  const texts = (options['group'] ?? []) as readonly string[];
  const group = texts.map((text) => parseHead(text, 'sahara/--group'));
  const { architecture } = opened.model;
  const ablation = resolveAblation(configuredAblation(resolved.config), architecture);
  assertHeads(group, headCounts(architecture, ablation), 'sahara/--group');
  return group;
}

/** How much is computed at once. */
export const limitsOf = ({ scan }: Config): ScanLimits => ({
  batchTokens: scan.batchTokens,
  memoryBytes: scan.memoryMiB * 2 ** 20,
});

/** Flags that a run's record does not keep. */
const UNKEPT = new Set(['resume', 'out', 'dryRun', 'json', 'quiet', 'debug']);
/** Flags that name files or folders. */
const PATHS = new Set([
  ...['config', 'donor', 'guard', 'harmless', 'model', 'phrases', 'prompts', 'question'],
  ...['scores', 'source'],
]);
/** Flags whose text may stand in a file, behind `@`. */
const TEXTS = new Set(['format', 'system']);
/** Flags of which `auto` says nothing: a run that goes on keeps its own. */
const MACHINE = new Set(['backend', 'residency']);
/** Flags of judges; responses of one run are judged in one way. */
const JUDGING = ['phrases', 'guard', 'question', 'judgeModel', 'threshold'];

/** A flag as it is kept: files by their whole paths, so that a run goes on from anywhere. */
function keptFlag(name: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.startsWith('example:')) return value;
  if (PATHS.has(name)) return resolve(value);
  return TEXTS.has(name) && value.startsWith('@') ? `@${resolve(value.slice(1))}` : value;
}

/** Flags as a run's record keeps them. */
export const passedFlags = ({ options }: CliInput): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      UNKEPT.has(name) || value === undefined ? [] : [[name, keptFlag(name, value)]],
    ),
  );

/**
 * The flags of a run that goes on: its own, with those that are given anew in their place. Whether
 * model, prompts and settings are still the same is seen once they are read.
 *
 * @param label - of the run: the verb.
 * @throws {DataError} where the run is of another verb.
 * @throws {ConfigError} where responses would be judged in another way.
 */
export function withEarlierFlags(input: CliInput, label: string): CliInput {
  const resume = input.options['resume'];
  if (typeof resume !== 'string') return input;
  const record = readRunRecord(resume);
  if (record.method !== 'sahara' || record.label !== label) {
    throw new DataError(`${resume}: is a run of ${record.method} ${record.label}.`, {
      ...{ file: resume, help: `Give the folder of a run of ${label}.` },
    });
  }
  const passed = (record.config.passed ?? {}) as Record<string, unknown>;
  const given = Object.fromEntries(
    Object.entries(input.options).filter(
      ([name, value]) => value !== undefined && (value !== 'auto' || !MACHINE.has(name)),
    ),
  );
  for (const name of JUDGING) {
    if (given[name] === undefined || keptFlag(name, given[name]) === passed[name]) continue;
    const before = passed[name] === undefined ? 'without it' : `with ${String(passed[name])}`;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new ConfigError(`${flag} is ${String(given[name])}; ${resume} was begun ${before}.`, {
      help: 'Leave the flag out, or begin a new run.',
    });
  }
  return { arguments: input.arguments, options: { ...passed, ...given } };
}
