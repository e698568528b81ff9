/**
 * Gradients at places inside of a pass, block by block: no more than one block is recorded at once.
 */
import { checkOptions, ConfigError, type OptionFields, ShapeError } from '@lab/core';
import { pullBack, tf } from '@lab/tensor';
import { z } from 'zod';
import { mixingOf } from './attention.js';
import { runBlock } from './block.js';
import { type Captured, capturedOf, oneToken } from './captures.js';
import { type HookPlace, hookNames, ownNames, placedHook } from './hook-names.js';
import { type Hook, type HookNames, HookRunner, isNamed } from './hooks.js';
import { type Intervention, interventionHook } from './interventions.js';
import type { Model } from './model.js';
import { outputGradient } from './output-gradient.js';
import { passFields, tokenFields } from './pass-fields.js';
import { PositionTables, type TokenBatch } from './positions.js';
import { lastTokens, passPlace, tokenBatch, type TokenInput } from './token-batch.js';
import { assertHeld } from './weights/placed-parts.js';

/** A pass whose residuals are there already; they stay the caller's. */
export interface KnownPass {
  /** Before each block and behind the last, `[B, T, D]` each: one more than there are blocks. */
  readonly residuals: readonly tf.Tensor3D[];
  /** Of the last token of each text, `[B, 1, V]`. */
  readonly logits: tf.Tensor3D;
}

/** What {@link hookGradients} is taken of, and where. */
export interface HookGradientInput extends TokenInput {
  readonly interventions?: readonly Intervention[] | undefined;
  readonly hooks?: readonly Hook[] | undefined;
  /** Places in blocks whose gradients are wanted. */
  readonly places: HookNames;
  /**
   * Gradients by the logits of what is asked about, given these: R rows for each text, `[R, B, V]`.
   * For the logarithm of the probability p of token v: 1 at v, less p.
   *
   * @param logits - of the last token of each text, `[B, V]`.
   */
  readonly outputGradients: (logits: Captured) => Captured;
  /** A pass with the same hooks and interventions, so that none has to be made. */
  readonly pass?: KnownPass | undefined;
  readonly signal?: AbortSignal | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  interventions: passFields.interventions,
  hooks: passFields.hooks,
  places: passFields.names,
  outputGradients: passFields.callback,
  pass: passFields.pass,
  signal: passFields.signal,
} satisfies OptionFields<HookGradientInput>);

/**
 * Gradients at places of R quantities of each text, all of them in one pass forward and one back.
 *
 * `g_place = (d logits / d place)^T outputGradients`. The pass forward keeps residuals alone; each
 * block is computed once more on the way back, for the R rows together. Weights may be wherever
 * they are: each block is read once in either direction.
 *
 * @returns by own names of the places, each `[R, B, ..]` with the axes of the place behind B.
 * @throws {ConfigError} where no place in a block is named, and for an option that is not known or
 *   of another kind.
 * @throws {ShapeError} for output gradients of another shape.
 *
 * @example
 * const model = await loadModel(exampleModel('planted-grouped'));
 * const gradients = await hookGradients(model, {
 *   ids: [[1, 2, 3]],
 *   places: /hook_z$/,
 *   outputGradients: ({ shape, data }) => ({
 *     shape: [1, ...shape],
 *     data: data.map((_, token) => (token === 7 ? 1 : 0)),
 *   }),
 * });
 * gradients.get('blocks.0.attn.hook_z')!.shape; // => [1, 1, 3, 8, 8]
 */
export async function hookGradients(
  model: Model,
  input: HookGradientInput,
): Promise<Map<string, Captured>> {
  checkOptions('transformer/hookGradients', input, inputSchema);
  assertHeld(model.parts);
  const wanted = wantedPlaces(model, input.places);
  const own = input.pass === undefined ? await passOf(model, input) : null;
  const pass = input.pass ?? own!;
  let dy: tf.Tensor3D | null = null;
  try {
    const { data, shape } = await capturedOf(pass.logits);
    const logits = { shape: [shape[0]!, shape[2]!], data };
    const asked = input.outputGradients(logits);
    const way = new WayBack(model, input, rowCountOf(asked, logits));
    try {
      dy = await way.throughOutput(asked, pass);
      const found = new Map<string, Captured>();
      const first = Math.min(...wanted.keys());
      for (let block = model.architecture.layerCount - 1; block >= first; block -= 1) {
        input.signal?.throwIfAborted();
        const after: tf.Tensor3D = dy!;
        dy = null;
        const places = wanted.get(block) ?? [];
        const residual = pass.residuals[block]!;
        const given = { block, residual, places, isFirst: block === first };
        const back = await way.throughBlock(after, given).finally(() => after.dispose());
        dy = back.before;
        for (const [at, [name, gradient]] of back.found.entries()) {
          found.set(name, way.apart(await capturedOf(gradient), places[at]!));
          gradient.dispose();
        }
      }
      return found;
    } finally {
      way.dispose();
    }
  } finally {
    dy?.dispose();
    if (own !== null) tf.dispose([...own.residuals, own.logits]);
  }
}

/** Wanted places by their block. */
function wantedPlaces({ architecture }: Model, places: HookNames): Map<number, HookPlace[]> {
  const names = ownNames(places, architecture, 'transformer/hookGradients');
  const wanted = new Map<number, HookPlace[]>();
  for (const place of hookNames({ architecture }, { optional: true })) {
    const block = /^blocks\.(\d+)\./.exec(place.name)?.[1];
    if (block === undefined || !isNamed(names, place.name)) continue;
    const own = wanted.get(Number(block)) ?? [];
    wanted.set(Number(block), [...own, place]);
  }
  if (wanted.size > 0) return wanted;
  throw new ConfigError('transformer/hookGradients: no place in a block is named.', {
    help: 'hookNames(model) lists all places; for example /attn\\.hook_z$/.',
  });
}

/** R, of output gradients that fit. */
function rowCountOf({ shape, data }: Captured, { shape: [batch, vocabulary] }: Captured): number {
  const [rows = 0] = shape;
  const expected = [rows, batch!, vocabulary!];
  if (rows > 0 && shape.join() === expected.join() && data.length === rows * batch! * vocabulary!) {
    return rows;
  }
  const [wanted, got] = [`[R, ${batch}, ${vocabulary}]`, `[${shape.join(', ')}]`];
  throw new ShapeError(
    `transformer/hookGradients: outputGradients must be ${wanted}, got ${got}.`,
    { expected: wanted, got },
  );
}

/** Residuals of a pass, block by block, and the logits of the last tokens. */
async function passOf(model: Model, input: HookGradientInput): Promise<KnownPass> {
  const { layerCount } = model.architecture;
  const { ids, mask, hooks, interventions, signal } = input;
  const given = { ids, mask, hooks, interventions, signal };
  const residuals: tf.Tensor3D[] = [];
  try {
    for (let block = 0; block <= layerCount; block += 1) {
      const before = residuals.at(-1);
      const part = { startBlock: Math.max(block - 1, 0), stopBlock: block, residual: before };
      const { residual, logits } = await model.forward({ ...given, ...part, logits: 'none' });
      logits?.dispose();
      residuals.push(residual);
    }
    const end = { startBlock: layerCount, residual: residuals.at(-1)!, logits: 'last' } as const;
    const { logits, residual } = await model.forward({ ...given, ...end });
    residual.dispose();
    return { residuals, logits: logits! };
  } catch (error) {
    tf.dispose(residuals);
    throw error;
  }
}

interface BlockBack {
  readonly block: number;
  /** Before the block, `[B, T, D]`. */
  readonly residual: tf.Tensor3D;
  readonly places: readonly HookPlace[];
  /** Whether nothing before this block is asked for. */
  readonly isFirst: boolean;
}

/** What the rows of a pass back share: each text is there R times. */
class WayBack {
  private readonly batch: TokenBatch;
  private readonly positions: PositionTables;
  /** Rows in `[R B T]` of the last tokens. */
  private readonly lasts: Int32Array;
  private readonly hooks: readonly Hook[];

  constructor(
    private readonly model: Model,
    { ids, mask, interventions = [], hooks = [] }: HookGradientInput,
    private readonly rowCount: number,
  ) {
    const { architecture } = model;
    const repeated = <T>(rows: readonly T[]) =>
      Array.from({ length: rowCount }, () => rows).flat() as T[];
    this.batch = tokenBatch(
      { ids: repeated(ids), mask: mask && repeated(mask) },
      architecture.vocabularySize,
    );
    this.positions = new PositionTables(architecture, this.batch);
    this.lasts = lastTokens(this.batch);
    this.hooks = [
      ...interventions.map((one) => interventionHook(one, architecture)),
      ...hooks.map((one) => placedHook(one, architecture)),
    ];
  }

  /** Gradients of the last tokens behind the last block, `[R B, 1, D]`. */
  async throughOutput(asked: Captured, { logits, residuals }: KnownPass): Promise<tf.Tensor3D> {
    const { batchSize: count } = this.batch;
    const { width, vocabularySize } = this.model.architecture;
    const ends = tf.tidy(() => {
      const last = oneToken(this.tiled(residuals.at(-1)!), this.lasts);
      return [
        tf.reshape(last, [count, width]),
        tf.reshape(this.tiled(logits), [count, vocabularySize]),
        tf.tensor2d(asked.data, [count, vocabularySize]),
      ] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    });
    const [rows, own, gradients] = ends;
    const given = { rows, logits: own, gradients };
    const dy = await outputGradient(this.model, given).finally(() => tf.dispose(ends));
    const placed = tf.reshape(dy, [count, 1, width]) as tf.Tensor3D;
    dy.dispose();
    return placed;
  }

  /** Gradients before a block and at its places, given those behind it. */
  async throughBlock(
    dy: tf.Tensor3D,
    { block, residual, places, isFirst }: BlockBack,
  ): Promise<{ readonly before: tf.Tensor3D | null; readonly found: [string, tf.Tensor][] }> {
    const { architecture, parts } = this.model;
    const isLast = block === architecture.layerCount - 1;
    // What heads give is wanted of the last token alone there: no other has a gradient.
    const isShort = isLast && this.hooks.length === 0 && places.every(isOfOutputs);
    const sizes = { B: this.batch.batchSize, T: isShort ? 1 : this.batch.length };
    return parts.blocks.use(block, (weights) => {
      const gradients = tf.tidy(() => {
        const x = this.tiled(residual);
        // What is added to a value has its gradient.
        const added = places.map(({ shape }) =>
          tf.zeros(shape.map((size) => (typeof size === 'number' ? size : sizes[size]))),
        );
        const adding = places.map(({ name }, at): Hook => {
          return { names: name, run: (value) => tf.add(value, added[at]!) };
        });
        const hooks = new HookRunner([...this.hooks, ...adding], passPlace(this.batch));
        const { positions, lasts } = this;
        const rules = architecture.blocks[block]!;
        const mix = mixingOf(positions);
        const lastTokens = isShort ? lasts : undefined;
        const context = { architecture, block, rules, positions, hooks, mix, lastTokens };
        const through = () => {
          const after = runBlock(x, weights, context);
          return isLast ? (oneToken(after, lasts) as tf.Tensor3D) : after;
        };
        const inputs = isFirst ? added : [x, ...added];
        return [...pullBack(through, inputs, dy).gradients];
      });
      const before = isFirst ? null : (gradients.shift() as tf.Tensor3D);
      return { before, found: places.map(({ name }, at) => [name, gradients[at]!]) };
    });
  }

  /** Each text R times: row r of text b is at `r B + b`. */
  private tiled<T extends tf.Tensor>(x: T): T {
    if (this.rowCount === 1) return x;
    return tf.tile(x, [this.rowCount, ...x.shape.slice(1).map(() => 1)]) as T;
  }

  /** A value with its rows and texts apart, and 0 at tokens that were left out. */
  apart({ shape, data }: Captured, { shape: wanted }: HookPlace): Captured {
    const { length, batchSize } = this.batch;
    const rows = [this.rowCount, batchSize / this.rowCount];
    const rest = shape.slice(1);
    if (wanted[1] !== 'T' || rest[0] === length) return { shape: [...rows, ...rest], data };
    const size = data.length / batchSize;
    const whole = new Float32Array(batchSize * length * size);
    for (const [row, last] of this.lasts.entries()) {
      whole.set(data.subarray(row * size, (row + 1) * size), last * size);
    }
    return { shape: [...rows, length, ...rest.slice(1)], data: whole };
  }

  dispose(): void {
    this.positions.dispose();
  }
}

const isOfOutputs = ({ name }: HookPlace): boolean => name.endsWith('.attn.hook_z');
