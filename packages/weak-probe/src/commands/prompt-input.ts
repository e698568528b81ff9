/**
 * What `collect`, `plan` and `check` read: settings, prompts of classes, and the model.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, formatCounted, type ResolvedConfig } from '@lab/core';
import {
  type CliContext,
  type CliInput,
  type CliOption,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import { loadTokenizer, readModelConfig } from '@lab/transformer';
import { modelFlags, modelFolder } from '@lab/transformer/commands';
import { type Config, weakProbeConfig } from '../config.js';
import {
  formatPrompts,
  type FormattedPrompts,
  type PromptSet,
  type PromptSource,
  readPromptSet,
} from '../prompt-set.js';

const topic = 'prompts';

/** Flags that name prompts and their classes. */
export const classOptions: readonly CliOption[] = [
  {
    flags: '--class <name=file>',
    summary: 'a class and its prompts: CSV, JSON, JSON lines or text; once for each class',
    kind: 'repeated',
    topic,
  },
  {
    flags: '--prompts <file>',
    summary: 'in its place: a file with a column label; of an example model its own',
    topic,
  },
  {
    flags: '--classes <list>',
    summary: 'classes that are kept, in this order',
    kind: 'list',
    topic,
  },
  { flags: '--column <name>', summary: 'column of the prompts', topic },
  { flags: '--limit <n>', summary: 'prompts of each class at most', kind: 'integer', topic },
  {
    flags: '--format <name>',
    summary: 'direct, chat, a FastChat name, or a text with {prompt}; see --preset',
    topic,
  },
  { flags: '--system-file <file>', summary: 'text of the system in the format', topic },
];

/** All flags of what is read. */
export const inputOptions: readonly CliOption[] = [
  ...classOptions,
  ...modelFlags,
  ...configOptions(weakProbeConfig),
];

/** Settings of the flags. */
export async function settingsOf({ options }: CliInput): Promise<ResolvedConfig<Config>> {
  const resolved = await readConfigInput(weakProbeConfig, options, {
    'data.limit': options['limit'],
    'data.format': options['format'],
    'data.system': systemOf(options['systemFile']),
  });
  const { format, system } = resolved.config.data;
  if (format !== 'mistral' || resolved.mode !== 'official' || system !== '') return resolved;
  throw new ConfigError('weak-probe: the format mistral of the released code has a system text.', {
    help:
      'it is the guardrail prompt of docs.mistral.ai (Capabilities, Guardrailing): save it and ' +
      'give --system-file FILE.',
  });
}

function systemOf(path: unknown): string | undefined {
  if (typeof path !== 'string') return undefined;
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new DataError(`${path}: the file of the system's text cannot be read.`, {
      ...{ file: path, cause, help: 'check the path given with --system-file.' },
    });
  }
}

/** Files of the classes that flags name; those of an example model without any. */
export function sourcesOf({ options }: CliInput): PromptSource[] {
  const classes = (options['class'] ?? []) as string[];
  const prompts = options['prompts'];
  if (classes.length > 0 && prompts !== undefined) {
    throw new ConfigError('--class and --prompts are given both.', {
      help: 'give one of the two.',
    });
  }
  if (typeof prompts === 'string') return [{ path: prompts }];
  if (classes.length > 0) return classes.map(sourceOf);
  const own = ownPrompts(options['model']);
  if (own !== undefined) return [{ path: own }];
  throw new ConfigError('--class NAME=FILE is missing.', {
    help: 'give it for each class, e.g. --class normal=normal.csv --class harmful=harmful.csv.',
  });
}

function sourceOf(text: string): PromptSource {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { label: text.slice(0, at), path: text.slice(at + 1) };
  throw new ConfigError(`--class ${text} names no class and file.`, {
    help: 'write NAME=FILE, e.g. --class normal=normal.csv.',
  });
}

/** The prompts beside an example model. */
function ownPrompts(model: unknown): string | undefined {
  if (typeof model !== 'string' || !model.startsWith('example:')) return undefined;
  const path = join(modelFolder({ arguments: [], options: { model } }), 'prompts.csv');
  return existsSync(path) ? path : undefined;
}

/** Prompts as the model of the flags reads them. */
export interface PromptInput {
  readonly resolved: ResolvedConfig<Config>;
  /** As it was given. */
  readonly modelPath: string;
  /** Where it is. */
  readonly folder: string;
  readonly architecture: ReturnType<typeof readModelConfig>['architecture'];
  readonly set: PromptSet;
  readonly formatted: FormattedPrompts;
}

/**
 * Reads all that a collection needs, and says what it found.
 *
 * @throws {ConfigError} without a model or classes; {@link DataError} for prompts as
 *   `readPromptSet` and `formatPrompts`.
 */
export async function readPromptInput(context: CliContext, input: CliInput): Promise<PromptInput> {
  const resolved = await settingsOf(input);
  const folder = modelFolder(input);
  const { architecture } = readModelConfig(folder);
  const set = await readSet(input, resolved.config);
  const tokenizer = loadTokenizer(folder);
  const { contextTokens } = architecture;
  const formatted = formatPrompts(tokenizer, set.prompts, {
    ...resolved.config.data,
    contextTokens,
  });
  for (const line of remarksOn(set, formatted)) context.note(line);
  const modelPath = String(input.options['model']);
  return { resolved, modelPath, folder, architecture, set, formatted };
}

/** Prompts of the flags, by class. */
export function readSet(input: CliInput, config: Config): Promise<PromptSet> {
  const { options } = input;
  return readPromptSet(sourcesOf(input), {
    ...{ limit: config.data.limit, deduplicate: config.data.deduplicate },
    column: options['column'] as string | undefined,
    classes: options['classes'] as string[] | undefined,
  });
}

/** Rows of a class from which on probes say something. */
const FEW = 10;

/** What a set is, and what should be looked at. */
export function remarksOn(set: PromptSet, formatted?: FormattedPrompts): string[] {
  const { counts, conflicts } = set;
  const parts = counts.map(({ label, kept, duplicates }) => {
    const twice = duplicates === 0 ? '' : ` (${formatCounted(duplicates, 'duplicate')})`;
    return `${label} ${kept}${twice}`;
  });
  const few = counts.filter(({ kept }) => kept < FEW).map(({ label }) => label);
  const skipped = formatted?.skipped.length ?? 0;
  return [
    `prompts  ${parts.join(', ')}`,
    ...(few.length === 0
      ? []
      : [`warning: ${few.join(', ')}: fewer than ${FEW} prompts; probes will say little.`]),
    ...(conflicts.length === 0
      ? []
      : [
          `warning: ${formatCounted(conflicts.length, 'prompt')} in several classes: ` +
            `${conflicts[0]}`,
        ]),
    ...(skipped === 0
      ? []
      : [`warning: ${formatCounted(skipped, 'prompt')} longer than the context left out.`]),
  ];
}
