/**
 * Which numbers of which weights belong to a head.
 */
import { ConfigError } from '@lab/core';
import type { FamilyModel } from '../families/family.js';
import { fusedRows } from './block-weights.js';
import type { Checkpoint } from './checkpoint.js';
import { blockPrefix, matchWeights, weightList } from './expected-weights.js';

/** Outputs of a head's queries, keys or values; `z`: inputs of the output projection. */
export type HeadSite = 'k' | 'q' | 'v' | 'z';

/** Rows or columns of a weight as it is stored, or numbers of a bias. */
export interface HeadSlice {
  /** Name of the weight in the files. */
  readonly name: string;
  /** Axis of the stored weight, `[rows, columns]`, that is cut; 0 for a bias. */
  readonly axis: 0 | 1;
  readonly start: number;
  readonly count: number;
}

/** A head and what of it is meant. */
export interface HeadPart {
  readonly layer: number;
  readonly head: number;
  readonly site: HeadSite;
  /** What `head` counts at `k` and `v`: heads of queries (default) or of keys and values. */
  readonly granularity?: 'kv-group' | 'query-head' | undefined;
}

/** Finds the slices of heads in one checkpoint. */
export interface HeadSlices {
  /**
   * The numbers of a part of a head; several at `z` for a group of keys and values.
   *
   * @throws {ConfigError} for a layer or head that is not there, and for keys or values of one head
   *   of queries where several share them.
   */
  of(part: HeadPart): HeadSlice[];
  /** Numbers that a slice has. */
  size(slice: HeadSlice): number;
}

/**
 * Slices of heads in the weights of a checkpoint, whichever way they are stored: one matrix each or
 * all three in one, `[out, in]` or `[in, out]`.
 *
 * Head i has rows `[i d_h, (i + 1) d_h)` of W_q, and as many columns of W_o; W_k and W_v have those
 * of its group.
 *
 * @param model - what `readModelConfig` gives.
 * @throws {ModelError} where the weights are not those of the model.
 */
export function headSlices(
  model: FamilyModel,
  checkpoint: Pick<Checkpoint, 'folder' | 'weights'>,
): HeadSlices {
  const names = matchWeights(weightList(model), checkpoint);
  const { isInputMajor } = model.weights;
  const fileName = (name: string) => names.get(name) ?? name;
  const sliceOf = (linear: string, run: Run, side: 'in' | 'out'): HeadSlice[] => {
    const isRows = (side === 'out') !== isInputMajor;
    const weight = { name: fileName(`${linear}.weight`), axis: isRows ? 0 : 1, ...run } as const;
    const bias = fileName(`${linear}.bias`);
    const hasBias = side === 'out' && checkpoint.weights.has(bias);
    return hasBias ? [weight, { name: bias, axis: 0, ...run }] : [weight];
  };
  return {
    of: (part) => {
      assertPart(model, part);
      const prefix = blockPrefix(model, part.layer);
      return runsOf(model, part).flatMap(({ linear, side, ...run }) =>
        sliceOf(`${prefix}${linear}`, run, side),
      );
    },
    size: ({ name, axis, count }) => {
      const { shape } = checkpoint.weights.get(name)!;
      return shape.length === 1 ? count : count * shape[1 - axis]!;
    },
  };
}

interface Run {
  readonly start: number;
  readonly count: number;
}

type LinearRun = Run & { readonly linear: string; readonly side: 'in' | 'out' };

function runsOf({ architecture, weights }: FamilyModel, part: HeadPart): LinearRun[] {
  const { headWidth, headCount, keyValueHeadCount } = architecture;
  const { head, site, granularity = 'query-head' } = part;
  const size = headCount / keyValueHeadCount;
  const count = headWidth;
  const { queryKeyValue, output } = weights.names;
  const heads =
    granularity === 'kv-group' && (site === 'q' || site === 'z')
      ? Array.from({ length: size }, (_, at) => head * size + at)
      : [head];
  if (site === 'z') {
    return heads.map((one) => ({ linear: output, side: 'in', start: one * headWidth, count }));
  }
  const which = site === 'q' ? 'query' : site === 'k' ? 'key' : 'value';
  if (!('fused' in queryKeyValue)) {
    const linear = queryKeyValue[which];
    return heads.map((one) => ({ linear, side: 'out', start: one * headWidth, count }));
  }
  const runs = fusedRows(queryKeyValue.order, architecture)[which];
  return heads.map((one) => ({
    linear: queryKeyValue.fused,
    side: 'out',
    start: startInRuns(runs, one * headWidth),
    count,
  }));
}

/** Place of the n-th row of those that lie in runs. */
function startInRuns(runs: readonly Run[], row: number): number {
  let rest = row;
  for (const { start, count } of runs) {
    if (rest < count) return start + rest;
    rest -= count;
  }
  throw new ConfigError(`transformer/heads: there is no row ${row} of heads.`);
}

function assertPart({ architecture }: FamilyModel, part: HeadPart): void {
  const { layerCount, headCount, keyValueHeadCount } = architecture;
  const { layer, head, site, granularity = 'query-head' } = part;
  const isGroup = granularity === 'kv-group';
  const count = isGroup ? keyValueHeadCount : headCount;
  const isThere = (value: number, most: number) =>
    Number.isInteger(value) && value >= 0 && value < most;
  if (!isThere(layer, layerCount) || !isThere(head, count)) {
    throw new ConfigError(`transformer/heads: there is no head ${head} in layer ${layer}.`, {
      help: `Layers are 0 to ${layerCount - 1}, heads 0 to ${count - 1}.`,
    });
  }
  if (isGroup || headCount === keyValueHeadCount || site === 'q' || site === 'z') return;
  throw new ConfigError(
    `transformer/heads: ${headCount / keyValueHeadCount} heads of queries share each of ` +
      `${keyValueHeadCount} heads of keys and values: ${site} of head ${head} alone is no weight.`,
    { help: 'Take q or z, or the granularity kv-group, which changes all heads of the group.' },
  );
}

/**
 * Multiplies the numbers of slices, in place.
 *
 * @param slices - of this weight alone.
 * @param shape - `[rows, columns]`, or `[n]` of a bias.
 */
export function scaleSlices(
  numbers: { [at: number]: number; readonly length: number },
  shape: readonly number[],
  slices: readonly HeadSlice[],
  factor: number,
): void {
  const columns = shape[1] ?? 1;
  for (const { axis, start, count } of slices) {
    const rows = axis === 0 ? [start, start + count] : [0, shape[0]!];
    const range = axis === 0 ? [0, columns] : [start, start + count];
    for (let row = rows[0]!; row < rows[1]!; row += 1) {
      for (let column = range[0]!; column < range[1]!; column += 1) {
        const at = row * columns + column;
        // Zero and not the product: what is not finite goes, too.
        numbers[at] = factor === 0 ? 0 : numbers[at]! * factor;
      }
    }
  }
}

/** Slices by the name of their weight, in their order. */
export function slicesByWeight<T extends HeadSlice>(slices: readonly T[]): Map<string, T[]> {
  const byWeight = new Map<string, T[]>();
  for (const slice of slices) {
    const own = byWeight.get(slice.name);
    if (own === undefined) byWeight.set(slice.name, [slice]);
    else own.push(slice);
  }
  return byWeight;
}
