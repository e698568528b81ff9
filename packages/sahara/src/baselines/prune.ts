/**
 * Single weights instead of heads: pruning by Wanda, and weights that matter for safety alone.
 */
import { ConfigError } from '@lab/core';
import {
  checkpointFolder,
  editCheckpoint,
  type EditedCheckpoint,
  loadModel,
  readModelConfig,
} from '@lab/transformer';
import {
  type CalibrationRow,
  featureNorms,
  type LinearWeight,
  linearWeights,
  linearWeightsByFile,
} from './linear-inputs.js';
import { snipScores } from './snip.js';

/** How a checkpoint is pruned. */
export interface PruneOptions {
  /** Folder of the new checkpoint. */
  readonly to: string;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** How {@link pruneSetDifference} prunes. */
export interface SetDifferenceOptions extends PruneOptions {
  /** Share of the inputs of each output that matter most for safety; default .05. */
  readonly safetyShare?: number | undefined;
  /** The same for utility; default .05. */
  readonly utilityShare?: number | undefined;
  /** Default `wanda`; `snip` takes gradients, and memory of all scores. */
  readonly score?: 'snip' | 'wanda' | undefined;
}

/** What was pruned. */
export interface PrunedCheckpoint extends EditedCheckpoint {
  /** Weights that were set to 0. */
  readonly removed: number;
  /** Weights of all matrices of blocks. */
  readonly total: number;
}

/** Scores of the inputs of an output of a matrix, from its weights. */
type RowScores = (weight: LinearWeight) => (row: Float64Array, output: number) => ArrayLike<number>;

/**
 * Writes a checkpoint without its least important weights: of every output of every matrix of a
 * block, the lowest share of `|W_oj| ||x_j||`, x_j the j-th input over all calibration tokens.
 *
 * Source: Sun et al., A Simple and Effective Pruning Approach for Large Language Models.
 *
 * @param share - of the inputs of an output that are removed; default .5.
 * @throws {ConfigError} for a share outside of 0..1, and without calibration rows.
 */
export async function pruneByWanda(
  path: string,
  calibration: readonly CalibrationRow[],
  { share = 0.5, ...options }: PruneOptions & { readonly share?: number | undefined },
): Promise<PrunedCheckpoint> {
  assertShare(share, 'share');
  const [scores] = await wandaScores(path, [calibration], options.signal);
  return prunedBy(path, options, (weight) => {
    const scored = scores!(weight);
    return (row, output) => ordered(scored(row, output)).slice(0, Math.floor(share * row.length));
  });
}

/**
 * Writes a checkpoint without the weights that matter for safety but not for utility: of every
 * output, the top `safetyShare` of scores on safety data less the top `utilityShare` on utility
 * data.
 *
 * Source: Wei et al., Assessing the Brittleness of Safety Alignment via Pruning and Low-Rank
 * Modifications (set difference).
 * Deviation: shares are taken within each output; theirs may also be taken over a whole matrix.
 *
 * @param data - rows of prompts with their responses, the response counted.
 * @throws {ConfigError} for shares outside of 0..1, and without rows.
 */
export async function pruneSetDifference(
  path: string,
  data: { readonly safety: readonly CalibrationRow[]; readonly utility: readonly CalibrationRow[] },
  { safetyShare = 0.05, utilityShare = 0.05, score = 'wanda', ...options }: SetDifferenceOptions,
): Promise<PrunedCheckpoint> {
  assertShare(safetyShare, 'safetyShare');
  assertShare(utilityShare, 'utilityShare');
  const sets = [data.safety, data.utility];
  const make = score === 'snip' ? gradientScores : wandaScores;
  const scores = await make(path, sets, options.signal);
  return prunedBy(path, options, (weight) => {
    const [safety, utility] = scores.map((one) => one(weight));
    return (row, output) => {
      const count = (share: number) => Math.floor(share * row.length);
      const kept = new Set(highest(utility!(row, output), count(utilityShare)));
      const top = highest(safety!(row, output), count(safetyShare));
      return top.filter((place) => !kept.has(place));
    };
  });
}

function assertShare(share: number, name: string): void {
  if (share >= 0 && share <= 1) return;
  throw new ConfigError(`sahara/prune: ${name} is ${share}, allowed is 0 to 1.`);
}

function assertRows(sets: readonly (readonly CalibrationRow[])[]): void {
  if (sets.every((rows) => rows.length > 0)) return;
  throw new ConfigError('sahara/prune: there are no calibration rows.', {
    help: 'Give token ids of at least one text.',
  });
}

/** Scores by the lengths of features over sets of rows. */
async function wandaScores(
  path: string,
  sets: readonly (readonly CalibrationRow[])[],
  signal: AbortSignal | undefined,
): Promise<RowScores[]> {
  assertRows(sets);
  const model = await loadModel(path);
  try {
    const family = readModelConfig(checkpointFolder(path));
    const weights = linearWeights(family, model.parts.checkpoint);
    const places = new Set(weights.map(({ input }) => input));
    const scores: RowScores[] = [];
    for (const rows of sets) {
      const norms = await featureNorms(model, rows, { places, signal });
      scores.push(({ input }) => {
        const own = norms.get(input)!;
        return (row) => row.map((value, at) => Math.abs(value) * own[at]!);
      });
    }
    return scores;
  } finally {
    model.dispose();
  }
}

/** Scores by gradients of the losses of sets of rows. */
async function gradientScores(
  path: string,
  sets: readonly (readonly CalibrationRow[])[],
  signal: AbortSignal | undefined,
): Promise<RowScores[]> {
  assertRows(sets);
  const scores: RowScores[] = [];
  for (const rows of sets) {
    const found = await snipScores(path, rows, signal);
    scores.push(({ fileName }) => {
      const own = found.get(fileName)!;
      return (row, output) => own.subarray(output * row.length, (output + 1) * row.length);
    });
  }
  return scores;
}

/** Gives the places of an output's inputs that are removed. */
type RowRule = (row: Float64Array, output: number) => readonly number[];

async function prunedBy(
  path: string,
  { to, ...options }: PruneOptions,
  ruleOf: (weight: LinearWeight) => RowRule,
): Promise<PrunedCheckpoint> {
  const weights = linearWeightsByFile(path);
  let [removed, total] = [0, 0];
  const written = await editCheckpoint(path, to, {
    ...options,
    change: (name, { shape }) => {
      const weight = weights.get(name);
      if (weight === undefined) return null;
      return (numbers) => {
        const values = numbers as Float32Array;
        removed += removeWeights(values, shape, { ...weight, rule: ruleOf(weight) });
        total += values.length;
        return values;
      };
    },
    metadata: (before) => ({
      ...before,
      'lab.sahara.pruned': 'single weights of attention and MLP',
    }),
  });
  return { ...written, removed, total };
}

/** Sets to 0 what a rule names of each output, whichever way the matrix is stored; their count. */
function removeWeights(
  values: Float32Array,
  [rows, columns]: readonly number[],
  { isInputMajor, rule }: Pick<LinearWeight, 'isInputMajor'> & { readonly rule: RowRule },
): number {
  const [outputs, inputs] = isInputMajor ? [columns!, rows!] : [rows!, columns!];
  let removed = 0;
  for (let output = 0; output < outputs; output += 1) {
    const placeOf = (input: number) =>
      isInputMajor ? input * columns! + output : output * columns! + input;
    const row = Float64Array.from({ length: inputs }, (_, input) => values[placeOf(input)]!);
    for (const input of rule(row, output)) {
      values[placeOf(input)] = 0;
      removed += 1;
    }
  }
  return removed;
}

/** Places by rising score. */
const ordered = (scores: ArrayLike<number>): number[] =>
  Array.from({ length: scores.length }, (_, place) => place).sort(
    (a, b) => scores[a]! - scores[b]! || a - b,
  );

const highest = (scores: ArrayLike<number>, count: number): number[] =>
  count === 0 ? [] : ordered(scores).slice(-count);
