/**
 * A checkpoint with some parts of another: attention of the base model, single heads, layers.
 */
import { ConfigError, DataError, ModelError } from '@lab/core';
import {
  type ChangedWeight,
  editCheckpoint,
  type EditedCheckpoint,
  type HeadSlice,
  headSlices,
  placedWeights,
  slicesByWeight,
} from '@lab/transformer';
import { assertHeads, headKey, type HeadId } from './head.js';
import { type OpenWeights, openWeights } from './open-weights.js';
import { version } from './version.js';

/** Which parts come from the donor. */
export type MixSelector =
  | 'attention'
  | 'mlp'
  | { readonly heads: readonly HeadId[] }
  | { readonly layers: readonly number[] };

/** How a mixed checkpoint is written. */
export interface MixOptions {
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Name of the text in the headers that says where parts come from. */
const mixField = 'lab.sahara.mix';

/**
 * Writes a checkpoint whose selected parts come from another of the same architecture; everything
 * else keeps its bytes.
 *
 * `attention`: all of attention, norms of queries and keys with it (the "concatenated" model when
 * the donor is the base model). `mlp`: all of the MLPs. `layers`: whole blocks, norms with them.
 * `heads`: rows of W_q with their biases and columns of W_o; rows of W_k and W_v where the head has
 * its own.
 * Source: Zhou et al., On the Role of Attention Heads in Large Language Model Safety, figure 6a
 * (`attention`); the transplant of heads is ours.
 *
 * @param path - the checkpoint that most is of, with its config and tokenizer.
 * @param donor - the one that the parts are of.
 * @throws {ModelError} where the two have not the same weights.
 * @throws {ConfigError} for heads or layers that are not there.
 */
export async function mixCheckpoints(
  path: string,
  donor: string,
  {
    to,
    selector,
    ...options
  }: MixOptions & { readonly to: string; readonly selector: MixSelector },
): Promise<EditedCheckpoint> {
  const [own, other] = [openWeights(path), openWeights(donor)];
  try {
    const files = matchedFiles(own, other);
    const chosen = chosenWeights(own, selector);
    const donated = slicesInDonor(other, selector);
    return await editCheckpoint(path, to, {
      ...options,
      change: (name, weight) => {
        const source = files.get(name);
        if (source === undefined || !chosen.has(name)) return null;
        return async (numbers) => {
          const given = await other.checkpoint.read(source);
          const slices = chosen.get(name)!;
          if (slices === null) return sameKind(numbers, given);
          const from = donated.get(source) ?? [];
          slices.forEach((slice, at) => {
            copySlice({ numbers: numbers as Float32Array, given, weight, slice, from: from[at]! });
          });
          return numbers;
        };
      },
      metadata: (before) => ({
        ...before,
        [mixField]: JSON.stringify({
          by: `@lab/sahara ${version}`,
          from: donor.split(/[\\/]/).at(-1),
          parts: selectorText(selector),
        }),
      }),
    });
  } finally {
    own.checkpoint.close();
    other.checkpoint.close();
  }
}

/** Names of the same weights in both, which must have the same shapes. */
function matchedFiles(own: OpenWeights, other: OpenWeights): ReadonlyMap<string, string> {
  const placed = (model: OpenWeights) =>
    new Map(
      placedWeights(model.family, model.checkpoint).map(({ name, fileName }) => [name, fileName]),
    );
  const [mine, theirs] = [placed(own), placed(other)];
  const files = new Map<string, string>();
  for (const [name, fileName] of mine) {
    const source = theirs.get(name);
    const shape = own.checkpoint.weights.get(fileName)!.shape.join(', ');
    const got =
      source === undefined ? 'none' : other.checkpoint.weights.get(source)!.shape.join(', ');
    if (shape !== got) {
      throw new ModelError(
        `sahara/mix: ${name} is [${shape}] in ${own.folder} and [${got}] in ${other.folder}.`,
        {
          help: 'Mix checkpoints of one architecture, such as a model and what it was tuned from.',
        },
      );
    }
    files.set(fileName, source!);
  }
  return files;
}

/** Chosen weights by their names in the files; null: all of it, else parts. */
function chosenWeights(
  own: OpenWeights,
  selector: MixSelector,
): ReadonlyMap<string, readonly HeadSlice[] | null> {
  if (typeof selector === 'object' && 'heads' in selector) return slicesIn(own, selector.heads);
  const placed = placedWeights(own.family, own.checkpoint);
  const { layerCount } = own.family.architecture;
  if (typeof selector === 'object') {
    const wrong = selector.layers.find(
      (one) => !(Number.isInteger(one) && one >= 0 && one < layerCount),
    );
    if (wrong !== undefined || selector.layers.length === 0) {
      throw new ConfigError(`sahara/mix: there is no layer ${wrong ?? '(none named)'}.`, {
        help: `Layers are 0 to ${layerCount - 1}.`,
      });
    }
  }
  const isChosen = ({ layer, part }: (typeof placed)[number]) =>
    typeof selector === 'object'
      ? layer !== null && selector.layers.includes(layer)
      : part === selector;
  return new Map(placed.filter(isChosen).map(({ fileName }) => [fileName, null]));
}

const slicesInDonor = (donor: OpenWeights, selector: MixSelector) =>
  typeof selector === 'object' && 'heads' in selector
    ? slicesIn(donor, selector.heads)
    : new Map<string, readonly HeadSlice[]>();

/** Slices of whole heads by the names of their weights, in the order of heads. */
function slicesIn(
  { family, checkpoint }: OpenWeights,
  heads: readonly HeadId[],
): Map<string, readonly HeadSlice[]> {
  if (heads.length === 0) {
    throw new ConfigError('sahara/mix: no heads are named.', { help: 'Name one, such as 2-26.' });
  }
  assertHeads(heads, family.architecture, 'sahara/mix');
  const { headCount, keyValueHeadCount } = family.architecture;
  const sites =
    headCount === keyValueHeadCount ? (['q', 'k', 'v', 'z'] as const) : (['q', 'z'] as const);
  const slices = headSlices(family, checkpoint);
  const all = heads.flatMap((head) => sites.flatMap((site) => slices.of({ ...head, site })));
  return slicesByWeight(all);
}

const sameKind = (numbers: ArrayLike<number | bigint>, given: Float32Array) =>
  numbers instanceof Float64Array ? Float64Array.from(given) : given;

interface SliceCopy {
  readonly numbers: Float32Array;
  readonly given: Float32Array;
  readonly weight: ChangedWeight;
  readonly slice: HeadSlice;
  readonly from: HeadSlice;
}

/** Copies the numbers of a slice; both weights have one shape. */
function copySlice({ numbers, given, weight, slice, from }: SliceCopy): void {
  if (slice.axis !== from.axis || slice.start !== from.start || slice.count !== from.count) {
    throw new DataError(`sahara/mix: ${slice.name} and ${from.name} are stored in another order.`, {
      help: 'Mix checkpoints that were written the same way.',
    });
  }
  const columns = weight.shape[1] ?? 1;
  const { axis, start, count } = slice;
  if (axis === 0) {
    const [begin, end] = [start * columns, (start + count) * columns];
    numbers.set(given.subarray(begin, end), begin);
    return;
  }
  for (let row = 0; row < weight.shape[0]!; row += 1) {
    const begin = row * columns + start;
    numbers.set(given.subarray(begin, begin + count), begin);
  }
}

/** A selector in words. */
export function selectorText(selector: MixSelector): string {
  if (typeof selector === 'string') return selector;
  return 'heads' in selector
    ? `heads ${selector.heads.map(headKey).join(', ')}`
    : `layers ${selector.layers.join(', ')}`;
}
