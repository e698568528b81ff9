/**
 * What a scan of heads is given, and what it gives of every head.
 */
import { DataError } from '@lab/core';
import type { Model } from '@lab/transformer';
import type { ResolvedAblation } from './ablation.js';
import type { HeadId } from './head.js';

/** A prompt as the model reads it, template and begin in it. */
export interface TokenPrompt {
  readonly id: string;
  readonly ids: readonly number[];
  /** Of the ablation `patch`: tokens of the prompt whose outputs of heads are put in. */
  readonly source?: readonly number[] | undefined;
}

/** What is read at the last token: logits `[V]`, or the state after the final norm `[D]`. */
export type ScanOutput = 'logits' | 'states';

/** One output of a scan. */
export interface HeadOutput {
  /** Position of the prompt among those given. */
  readonly prompt: number;
  /** The ablated head; null for the model with nothing but the group ablated. */
  readonly head: HeadId | null;
  readonly values: Float32Array;
}

/** What is to be scanned. */
export interface ScanInput {
  readonly prompts: readonly TokenPrompt[];
  readonly ablation: ResolvedAblation;
  /** Ablated in every pass. */
  readonly group: readonly HeadId[];
  /** Ablated one at a time, with the group; none of the group. */
  readonly candidates: readonly HeadId[];
  readonly output: ScanOutput;
  /** Called with the intact output of a prompt before its heads; keeps no reference to values. */
  readonly visit: (output: HeadOutput) => void;
  readonly signal?: AbortSignal | undefined;
  /** Share of the work that is done, 0 to 1. */
  readonly onShare?: ((share: number) => void) | undefined;
}

/** The place behind the final norm. */
export const STATES = 'ln_final.hook_normalized';

/** What asks a pass for an output at the last token, and for nothing else. */
export const outputOf = (output: ScanOutput) =>
  output === 'logits'
    ? ({ logits: 'last', residualPositions: 'last' } as const)
    : ({
        logits: 'none',
        residualPositions: 'last',
        capture: STATES,
        capturePositions: 'last',
      } as const);

/**
 * Checks prompts against a model before anything runs.
 *
 * @throws {DataError} for none, an empty one, a token that the model does not have, and more tokens
 *   than it was made for.
 */
export function assertPrompts(
  { architecture }: Pick<Model, 'architecture'>,
  prompts: readonly TokenPrompt[],
): void {
  if (prompts.length === 0) {
    throw new DataError('sahara: there are no prompts.', { help: 'Give at least one.' });
  }
  const { vocabularySize, contextTokens } = architecture;
  const all = prompts.flatMap(({ id, ids, source }) => [
    { id, ids },
    ...(source === undefined ? [] : [{ id: `${id} (its source)`, ids: source }]),
  ]);
  for (const { id, ids } of all) {
    if (ids.length === 0) {
      throw new DataError(`sahara: prompt ${id} has no tokens.`, { help: 'Leave it out.' });
    }
    const bad = ids.find((token) => !(token >= 0 && token < vocabularySize));
    if (bad !== undefined) {
      throw new DataError(
        `sahara: prompt ${id} has token ${bad}, the vocabulary has ${vocabularySize}.`,
        { help: 'The tokenizer is of another model.' },
      );
    }
    if (contextTokens !== null && ids.length > contextTokens) {
      throw new DataError(
        `sahara: prompt ${id} has ${ids.length} tokens, the model takes ${contextTokens}.`,
        { help: 'Leave it out, or let prompts be cut on one side.' },
      );
    }
  }
}
