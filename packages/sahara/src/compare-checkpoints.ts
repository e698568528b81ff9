/**
 * What two checkpoints of one architecture differ in, head by head: a base and a chat model, a
 * model before and after fine-tuning.
 */
import { ModelError } from '@lab/core';
import {
  type HeadSlice,
  type HeadSlices,
  headSlices,
  placedWeights,
  slicesByWeight,
  type WeightPart,
} from '@lab/transformer';
import { type OpenWeights, openWeights } from './open-weights.js';

/** How {@link compareCheckpoints} goes on. */
export interface CompareCheckpointsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Change of a part of the model. */
export interface PartChange {
  /** Null outside of the blocks. */
  readonly layer: number | null;
  readonly part: WeightPart;
  /** `||B - A|| / ||A||`, Frobenius; 0 for equal weights. */
  readonly change: number;
}

/** Two checkpoints side by side. */
export interface ComparedCheckpoints {
  /** Relative change of what belongs to each head: queries and output, `[L][H]`. */
  readonly heads: readonly (readonly number[])[];
  /** Relative change of keys and values of each group, `[L][H_kv]`. */
  readonly groups: readonly (readonly number[])[];
  readonly parts: readonly PartChange[];
  /** Relative change of all weights together. */
  readonly change: number;
  readonly weightCount: number;
  /** Weights with equal numbers. */
  readonly equalCount: number;
}

/**
 * Relative changes from a first checkpoint to a second: of heads, of keys and values, of parts by
 * layer. Weights are read one at a time.
 *
 * `change = ||W_2 - W_1||_F / ||W_1||_F` over all numbers of the part; of a head its rows of W_q
 * with their biases and its columns of W_o. As scores of heads it can be compared with those of
 * Ships by `compareScores`: whether training moved the heads that refusals hang on.
 *
 * @throws {ModelError} where the two have not the same weights.
 */
export async function compareCheckpoints(
  first: string,
  second: string,
  { signal, onProgress }: CompareCheckpointsOptions = {},
): Promise<ComparedCheckpoints> {
  const [one, two] = [opened(first), opened(second)];
  try {
    const sums = new ChangeSums(one);
    const others = new Map(two.placed.map(({ name, fileName }) => [name, fileName]));
    for (const [at, { name, fileName, layer, part }] of one.placed.entries()) {
      signal?.throwIfAborted();
      const other = others.get(name);
      assertSameShape({ one, two, name }, fileName, other);
      const [a, b] = await Promise.all([
        one.checkpoint.read(fileName),
        two.checkpoint.read(other!),
      ]);
      sums.add({ a, b, fileName, key: { layer, part } });
      onProgress?.(at + 1, one.placed.length);
    }
    return sums.result();
  } finally {
    one.checkpoint.close();
    two.checkpoint.close();
  }
}

interface Opened extends OpenWeights {
  readonly placed: ReturnType<typeof placedWeights>;
}

function opened(path: string): Opened {
  const weights = openWeights(path);
  return { ...weights, placed: placedWeights(weights.family, weights.checkpoint) };
}

function assertSameShape(
  { one, two, name }: { readonly one: Opened; readonly two: Opened; readonly name: string },
  fileName: string,
  other: string | undefined,
): void {
  const shape = one.checkpoint.weights.get(fileName)!.shape.join(', ');
  const got = other === undefined ? 'none' : two.checkpoint.weights.get(other)!.shape.join(', ');
  if (shape === got) return;
  throw new ModelError(
    `sahara/compare: ${name} is [${shape}] in ${one.folder} and [${got}] in ${two.folder}.`,
    {
      help: 'Compare checkpoints of one architecture, such as a model and what it was tuned from.',
    },
  );
}

/** Sums of squares, of differences and of the first. */
class Squares {
  difference = 0;
  first = 0;

  add(a: number, b: number): void {
    this.difference += (b - a) ** 2;
    this.first += a ** 2;
  }

  /** Infinite where something came from nothing. */
  get change(): number {
    return this.difference === 0 ? 0 : Math.sqrt(this.difference / this.first);
  }
}

interface PartKey {
  readonly layer: number | null;
  readonly part: WeightPart;
}

interface WeightPair {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly fileName: string;
  readonly key: PartKey;
}

type SummedSlice = HeadSlice & { readonly squares: Squares };

class ChangeSums {
  private readonly all = new Squares();
  private readonly parts = new Map<string, PartKey & { readonly squares: Squares }>();
  private readonly heads: Squares[][];
  private readonly groups: Squares[][];
  private readonly slices: ReadonlyMap<string, readonly SummedSlice[]>;
  private weightCount = 0;
  private equalCount = 0;

  constructor(private readonly one: Opened) {
    const { layerCount, headCount, keyValueHeadCount } = one.family.architecture;
    const grid = (count: number) =>
      Array.from({ length: layerCount }, () => Array.from({ length: count }, () => new Squares()));
    this.heads = grid(headCount);
    this.groups = grid(keyValueHeadCount);
    const slices = headSlices(one.family, one.checkpoint);
    const all = [
      ...this.slicesOf(slices, this.heads, ['q', 'z']),
      ...this.slicesOf(slices, this.groups, ['k', 'v']),
    ];
    this.slices = slicesByWeight(all);
  }

  private slicesOf(
    slices: HeadSlices,
    grid: Squares[][],
    sites: readonly ('k' | 'q' | 'v' | 'z')[],
  ) {
    const granularity = grid === this.groups ? 'kv-group' : 'query-head';
    return grid.flatMap((row, layer) =>
      row.flatMap((squares, head) =>
        sites
          .flatMap((site) => slices.of({ layer, head, site, granularity }))
          .map((slice) => ({ ...slice, squares })),
      ),
    );
  }

  add({ a, b, fileName, key }: WeightPair): void {
    const name = `${key.layer} ${key.part}`;
    const part = this.parts.get(name) ?? { ...key, squares: new Squares() };
    this.parts.set(name, part);
    let isEqual = true;
    for (let at = 0; at < a.length; at += 1) {
      const [x, y] = [a[at]!, b[at]!];
      if (x !== y) isEqual = false;
      part.squares.add(x, y);
      this.all.add(x, y);
    }
    this.weightCount += 1;
    this.equalCount += isEqual ? 1 : 0;
    const columns = this.one.checkpoint.weights.get(fileName)!.shape[1] ?? 1;
    for (const slice of this.slices.get(fileName) ?? []) addSlice(slice, { a, b, columns });
  }

  result(): ComparedCheckpoints {
    const changes = (grid: Squares[][]) => grid.map((row) => row.map(({ change }) => change));
    return {
      heads: changes(this.heads),
      groups: changes(this.groups),
      parts: [...this.parts.values()].map(({ layer, part, squares }) => ({
        ...{ layer, part, change: squares.change },
      })),
      change: this.all.change,
      weightCount: this.weightCount,
      equalCount: this.equalCount,
    };
  }
}

function addSlice(
  { axis, start, count, squares }: SummedSlice,
  {
    a,
    b,
    columns,
  }: { readonly a: Float32Array; readonly b: Float32Array; readonly columns: number },
): void {
  const [top, bottom] = axis === 0 ? [start, start + count] : [0, a.length / columns];
  const [left, right] = axis === 0 ? [0, columns] : [start, start + count];
  for (let row = top; row < bottom; row += 1) {
    for (let at = row * columns + left; at < row * columns + right; at += 1) {
      squares.add(a[at]!, b[at]!);
    }
  }
}
