/**
 * What commands of methods share that look inside of a model: its folder, its prompts, their form.
 */
import { readFileSync } from 'node:fs';
import { ConfigError, DataError, formatBytes, formatCounted } from '@lab/core';
import type { CliContext, CliInput, CliOption } from '@lab/core/cli';
import type { BackendReport } from '@lab/tensor';
import { type CheckpointFingerprint, checkpointFingerprint } from '../checkpoint-fingerprint.js';
import { loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import { promptCounts, type PromptData, readPromptData } from '../prompt-data.js';
import { assertPromptFormat, type PromptFormatOptions, promptFormats } from '../prompt-format.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import type { LoadModelOptions, Residency } from '../weights/residency.js';
import { backendOption, bytesOf, chosenBackend, threadsOption } from './model-options.js';

const topics = { model: 'model', prompts: 'prompts' } as const;

/** Flags that name a model, and what computes. */
export const modelFlags: readonly CliOption[] = [
  {
    flags: '--model <dir>',
    summary: 'checkpoint: its folder, Hugging Face cache, file *.gguf, or example:organism',
    topic: topics.model,
  },
  { ...backendOption, topic: topics.model },
  { ...threadsOption, topic: topics.model },
  {
    flags: '--residency <where>',
    summary: 'where weights stay: on the backend, in memory as stored, or in the files',
    choices: ['auto', 'resident', 'host', 'streamed'],
    default: 'auto',
    topic: topics.model,
  },
  { flags: '--memory <bytes>', summary: 'bytes weights may take, e.g. 4GB', topic: topics.model },
];

/** Flags that name prompts. */
export const promptFlags: readonly CliOption[] = [
  {
    flags: '--prompts <file>',
    summary: 'CSV, JSON or JSON lines with a column of prompts, or a prompt a line',
    topic: topics.prompts,
  },
  { flags: '--column <name>', summary: 'column of the prompts', topic: topics.prompts },
  { flags: '--limit <n>', summary: 'the first so many', kind: 'integer', topic: topics.prompts },
  {
    flags: '--deduplicate <how>',
    summary: 'leave out prompts with the words of an earlier one: all, or 80 % of them',
    choices: ['exact', 'near'],
    topic: topics.prompts,
  },
];

/** Flags that say how a prompt is written. */
export const formatFlags: readonly CliOption[] = [
  {
    flags: '--format <name>',
    summary: `${promptFormats.slice(0, 2).join(', ')}, chat, ...; a text with {prompt}; or @FILE`,
    topic: topics.prompts,
  },
  { flags: '--system <text>', summary: 'text of the system, or @FILE', topic: topics.prompts },
  {
    flags: '--truncate <end>',
    summary: 'where a prompt is cut that has too many tokens',
    choices: ['none', 'left', 'right'],
    topic: topics.prompts,
  },
];

/** A model that is ready, with what results are to say of it. */
export interface OpenedModel {
  readonly folder: string;
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly fingerprint: CheckpointFingerprint;
  readonly backend: BackendReport;
}

/**
 * The checkpoint that `--model` names.
 *
 * @param otherwise - taken without the flag; default none.
 * @throws {ConfigError} without the flag.
 */
export function modelFolder({ options }: CliInput, otherwise?: string): string {
  const path = (options['model'] as string | undefined) ?? otherwise;
  if (path !== undefined) return checkpointFolder(path);
  throw new ConfigError('--model DIR is missing.', {
    help: 'Give the folder of a checkpoint, or --model example:organism to try it.',
  });
}

/** Where weights are to stay, as the flags of methods say. */
export function loadOptions({ options }: CliInput): LoadModelOptions {
  const memory = options['memory'];
  return {
    residency: options['residency'] as Residency | 'auto' | undefined,
    budgetBytes: typeof memory === 'string' ? bytesOf('model', '--memory', memory) : undefined,
  };
}

/**
 * Opens the model of the flags on the backend of the flags; dispose the model.
 *
 * @param folder - of the checkpoint; default that of `--model`.
 */
export async function openModel(
  context: CliContext,
  input: CliInput,
  folder = modelFolder(input),
): Promise<OpenedModel> {
  // First what is quick and may fail.
  const tokenizer = loadTokenizer(folder);
  const backend = await chosenBackend(context, input);
  context.progress.update('reading the weights');
  const model = await loadModel(folder, loadOptions(input));
  assertVocabulary(model, tokenizer, folder);
  const { layerCount, headCount } = model.architecture;
  const { parameterCount, sizeBytes } = model.parts.checkpoint;
  context.progress.done();
  context.note(
    `model    ${folder}: ${formatCounted(layerCount, 'layer')} of ` +
      `${formatCounted(headCount, 'head')}, ${formatCounted(parameterCount, 'parameter')} ` +
      `(${formatBytes(sizeBytes)}), ${model.residency}, on ${backend.name}`,
  );
  return { folder, model, tokenizer, fingerprint: checkpointFingerprint(folder), backend };
}

/**
 * Refuses a tokenizer that gives ids which the model does not have.
 *
 * @throws {DataError} naming both sizes.
 */
function assertVocabulary({ architecture }: Model, tokenizer: Tokenizer, folder: string): void {
  const { vocabularySize } = architecture;
  // The last ids are the ones that special tokens get.
  for (let id = vocabularySize; id < vocabularySize + 8; id += 1) {
    const token = tokenizer.tokenOf(id);
    if (token === null) continue;
    throw new DataError(
      `${folder}: its tokenizer has the token ${JSON.stringify(token)} with id ${id}, the model ` +
        `has a vocabulary of ${vocabularySize}.`,
      { help: 'Take the tokenizer of this model.' },
    );
  }
}

/**
 * The prompts of `--prompts`.
 *
 * @param path - in its place.
 * @throws {ConfigError} without the flag; {@link DataError} as `readPromptData`.
 */
export async function readPrompts(
  context: CliContext,
  { options }: CliInput,
  path = options['prompts'] as string | undefined,
): Promise<PromptData> {
  if (path === undefined) {
    throw new ConfigError('--prompts FILE is missing.', {
      help: 'Give a CSV, JSON or text file of prompts; none is shipped.',
    });
  }
  const deduplicate = options['deduplicate'] as 'exact' | 'near' | undefined;
  const data = await readPromptData(path, {
    column: options['column'] as string | undefined,
    limit: options['limit'] as number | undefined,
    deduplicate: deduplicate === 'near' ? 'near' : deduplicate === 'exact',
  });
  const column = data.column === null ? '' : `, column ${data.column}`;
  context.note(`prompts  ${path}: ${promptCounts(data)}${column}`);
  return data;
}

/**
 * How prompts are written, as the flags say; a file in the place of a text stands behind `@`.
 *
 * @param tokenizer - refuses formats that it cannot write, before any work.
 * @param defaults - for flags that were not given.
 */
export function promptFormatOf(
  { options }: CliInput,
  tokenizer: Tokenizer,
  defaults: PromptFormatOptions = {},
): PromptFormatOptions {
  const format = {
    format: textOrFile(options['format']) ?? defaults.format,
    system: textOrFile(options['system']) ?? defaults.system,
    truncate:
      (options['truncate'] as PromptFormatOptions['truncate'] | undefined) ?? defaults.truncate,
  };
  assertPromptFormat(tokenizer, format);
  return format;
}

function textOrFile(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('@')) return value as string | undefined;
  const path = value.slice(1);
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new DataError(`${path}: the file cannot be read.`, {
      ...{ file: path, cause, help: 'Check the path behind @.' },
    });
  }
}
