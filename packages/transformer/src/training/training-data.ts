/**
 * The examples of a training: read, in tokens, and parted from those that are held out.
 */
import { createHash } from 'node:crypto';
import {
  ConfigError,
  createRandom,
  DataError,
  type FileRecord,
  formatCount,
  formatCounted,
  hashFile,
} from '@lab/core';
import { heldOutSplit } from './batch-order.js';
import { readExampleFile } from './example-file.js';
import type { ModelSource } from './model-source.js';
import type { TrainingConfig } from './training-config.js';
import {
  addExample,
  type EncodedExamples,
  type ExampleRules,
  noExamples,
  type TrainingExample,
} from './training-examples.js';
import type { TokenExample } from './trainable-model.js';

/** Examples, or a file of them. */
export type ExampleInput = readonly TrainingExample[] | string;

/** What is trained on, and what is not. */
export interface TrainingData {
  readonly train: readonly TokenExample[];
  readonly heldOut: readonly TokenExample[];
  /** Files that were read. */
  readonly files: readonly FileRecord[];
  /** Of all tokens. */
  readonly sha256: string;
  readonly remarks: readonly string[];
}

/** Most tokens of an example where neither the settings nor the model say. */
const MOST_TOKENS = 1024;

/**
 * Reads and parts the examples.
 *
 * @throws {DataError} for an example that cannot be used, with its line and field.
 * @throws {ConfigError} for more tokens than the model has places.
 */
export async function readTrainingData(
  source: ModelSource,
  { data: settings, seed }: TrainingConfig,
  inputs: { readonly train: ExampleInput; readonly evaluation: ExampleInput | null },
  signal: AbortSignal | undefined,
): Promise<TrainingData> {
  const rules = rulesOf(source, settings);
  const all = await encoded(inputs.train, rules, signal);
  const apart = inputs.evaluation === null ? null : await encoded(inputs.evaluation, rules, signal);
  if (all.examples.length === 0) {
    throw new DataError('transformer/train: there are no examples.', {
      help: 'Give at least one.',
    });
  }
  const split =
    apart === null
      ? heldOutSplit(all.examples, settings.heldOut, createRandom(seed).fork('held-out'))
      : { train: all.examples, heldOut: apart.examples };
  const paths = [inputs.train, inputs.evaluation].filter((input) => typeof input === 'string');
  return {
    ...split,
    files: await Promise.all(paths.map(hashFile)),
    sha256: hashOf([...split.train, ...split.heldOut]),
    remarks: [all, ...(apart === null ? [] : [apart])].flatMap((own) => lengthRemarks(own, rules)),
  };
}

function rulesOf(source: ModelSource, settings: TrainingConfig['data']): ExampleRules {
  const { kind, tokenizer, vocabularySize, contextTokens, placeCount } = source;
  const maxTokens = settings.maxTokens ?? Math.min(contextTokens ?? MOST_TOKENS, MOST_TOKENS);
  if (placeCount !== null && maxTokens > placeCount) {
    throw new ConfigError(
      `transformer/train: data.maxTokens is ${maxTokens}, the model has ${placeCount} places.`,
      { help: `Set data.maxTokens to ${placeCount} or less.` },
    );
  }
  const { tooLong, template } = settings;
  return { kind, tokenizer, vocabularySize, maxTokens, tooLong, template };
}

async function encoded(
  input: ExampleInput,
  rules: ExampleRules,
  signal: AbortSignal | undefined,
): Promise<EncodedExamples> {
  if (typeof input === 'string') return readExampleFile(input, rules, signal);
  const all = noExamples();
  for (const [at, example] of input.entries()) {
    addExample(all, example, rules, { where: `example ${at + 1}`, origin: at + 1 });
  }
  return all;
}

/** What became of examples that were too long. */
function lengthRemarks(
  { truncated, split, cutTokens }: EncodedExamples,
  { maxTokens }: ExampleRules,
): string[] {
  const longer = (count: number) =>
    `${formatCounted(count, 'example')} longer than ${formatCount(maxTokens)} tokens`;
  return [
    ...(truncated === 0
      ? []
      : [`${longer(truncated)} cut, by ${formatCounted(cutTokens, 'token')} in all`]),
    ...(split === 0 ? [] : [`${longer(split)} split`]),
  ];
}

function hashOf(examples: readonly TokenExample[]): string {
  const hash = createHash('sha256');
  for (const { ids, isTarget, answer } of examples) {
    for (const part of [ids, isTarget, answer]) {
      hash.update(part === null ? '-' : `${part.length}:`);
      if (part !== null) hash.update(part);
    }
  }
  return hash.digest('hex');
}
