/**
 * Every head of a model ablated by itself, by exact reuse of what ablating it does not change.
 */
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { queryHeads } from './ablation.js';
import { BasePass, disposeLayers, type LayerParts } from './base-pass.js';
import type { HeadId } from './head.js';
import { outputOf, type ScanInput, STATES } from './head-outputs.js';
import { layerRanges, promptBatches, rowsTogether, type ScanLimits, Work } from './scan-batches.js';

/** Rows of a batch in the middle of the model, and whose they are. */
interface Variants {
  /** `[n, T, D]`. */
  readonly residual: tf.Tensor3D;
  readonly owners: readonly Owner[];
}

interface Owner {
  /** Position in the batch of prompts. */
  readonly row: number;
  readonly head: HeadId;
}

/**
 * Outputs of every prompt and head, as `scanHeadsNaively` gives them.
 *
 * Exact savings: a head of layer l changes nothing before l; what each head of a layer gives
 * ablated comes from one pass for all of them; heads go through the rest of the model side by side;
 * of the last layer only the last token is computed, and logits of it alone. All variants advance
 * together, so that the weights of a layer are read once for all of them.
 *
 * @throws {ShapeError} and {DataError} as `forward`.
 */
export async function scanHeads(
  model: Model,
  input: ScanInput,
  limits: ScanLimits = {},
): Promise<void> {
  const batches = promptBatches(model, input, limits);
  const work = new Work(batches.length, input.onShare);
  for (const batch of batches) {
    const base = new BasePass(model, batch, input);
    try {
      await scanBatch(model, base, { input, limits, work });
    } finally {
      base.dispose();
    }
    work.endBatch();
  }
}

async function scanBatch(
  model: Model,
  base: BasePass,
  {
    input,
    limits,
    work,
  }: { readonly input: ScanInput; readonly limits: ScanLimits; readonly work: Work },
): Promise<void> {
  const ranges = layerRanges(model, base, { input, limits });
  const { layerCount } = model.architecture;
  work.beginBatch(base.prompts.length, input.candidates, layerCount);
  // Intact outputs come first: where layers are scanned apart, by a pass of their own.
  const isWhole = ranges.length === 1;
  if (!isWhole) await visitIntact(new BasePass(model, base.prompts, input), input, layerCount);
  for (const [from, to] of ranges) {
    const heads = input.candidates.filter(({ layer }) => layer >= from && layer < to);
    const wanted = new Set(heads.map(({ layer }) => layer));
    const layers = await base.advance(isWhole ? layerCount : to, wanted);
    try {
      if (isWhole) visitOutputs(await base.outputs(), base, input);
      await scanLayers(model, base, { layers, heads, input, limits, work });
    } finally {
      disposeLayers(layers);
    }
  }
}

async function visitIntact(base: BasePass, input: ScanInput, layerCount: number): Promise<void> {
  try {
    await base.advance(layerCount, new Set());
    visitOutputs(await base.outputs(), base, input);
  } finally {
    base.dispose();
  }
}

function visitOutputs(values: Float32Array, { prompts }: BasePass, { visit }: ScanInput): void {
  const size = values.length / prompts.length;
  for (const [row, { prompt }] of prompts.entries()) {
    visit({ prompt, head: null, values: values.subarray(row * size, (row + 1) * size) });
  }
}

/** What {@link scanLayers} needs. */
export interface LayerScan {
  readonly input: ScanInput;
  readonly limits: ScanLimits;
  readonly layers: readonly LayerParts[];
  /** Of these layers. */
  readonly heads: readonly HeadId[];
  readonly work?: Work | undefined;
}

/** Visits heads whose layers have been passed. */
export async function scanLayers(
  model: Model,
  base: BasePass,
  { layers, heads, input, limits, work }: LayerScan,
): Promise<void> {
  const { layerCount } = model.architecture;
  const most = rowsTogether(base.padded.length, limits);
  const through = new Through(model, base, input);
  let live: Variants[] = [];
  const first = layers.reduce((least, { layer }) => Math.min(least, layer), layerCount);
  try {
    for (let layer = first; layer < layerCount; layer += 1) {
      const [before, after]: [Variants[], Variants[]] = [live, []];
      live = after;
      for (const [at, variants] of before.entries()) {
        const next = await through.layer(layer, variants).catch((error: unknown) => {
          for (const { residual } of before.slice(at + 1)) residual.dispose();
          throw error;
        });
        if (next !== null) joinOrAdd(after, next, most);
        work?.add(variants.owners.length);
      }
      const parts = layers.find((one) => one.layer === layer);
      const own = heads.filter((one) => one.layer === layer);
      const step = Math.max(1, Math.floor(most / base.prompts.length));
      for (let at = 0; parts !== undefined && at < own.length; at += step) {
        const some = own.slice(at, at + step);
        const next = await through.changed(parts, some);
        if (next !== null) joinOrAdd(after, next, most);
        work?.add(some.length * base.prompts.length);
      }
    }
  } finally {
    for (const { residual } of live) residual.dispose();
  }
}

/** Adds rows to the last ones where both fit into a batch. */
function joinOrAdd(all: Variants[], next: Variants, most: number): void {
  const last = all.at(-1);
  if (last === undefined || last.owners.length + next.owners.length > most) {
    all.push(next);
    return;
  }
  const residual = tf.concat([last.residual, next.residual], 0);
  tf.dispose([last.residual, next.residual]);
  all[all.length - 1] = { residual, owners: [...last.owners, ...next.owners] };
}

/** Brings variants through layers; those behind the last are visited. */
class Through {
  constructor(
    private readonly model: Model,
    private readonly base: BasePass,
    private readonly input: ScanInput,
  ) {}

  /** Frees the variants that it is given. */
  async layer(layer: number, { residual, owners }: Variants): Promise<Variants | null> {
    try {
      return await this.run(layer, { residual, owners });
    } finally {
      residual.dispose();
    }
  }

  /** Variants of a layer, one for each prompt and head, behind it. */
  async changed(parts: LayerParts, heads: readonly HeadId[]): Promise<Variants | null> {
    const { prompts } = this.base;
    const owners = heads.flatMap((head) => prompts.map((_, row): Owner => ({ row, head })));
    const { residual, headOutputs } = this.variantsOf(parts, heads);
    try {
      return await this.run(parts.layer, { residual, owners, headOutputs });
    } finally {
      tf.dispose([residual, headOutputs]);
    }
  }

  /** What the heads give, once for each head that is ablated, and the residual as often. */
  private variantsOf({ residual, intact, ablated }: LayerParts, heads: readonly HeadId[]) {
    const { architecture } = this.model;
    const [batch, length, count, width] = intact.shape;
    const chosen = new Float32Array(heads.length * count);
    for (const [at, { head }] of heads.entries()) {
      for (const one of queryHeads(head, architecture, this.input.ablation)) {
        chosen[at * count + one] = 1;
      }
    }
    return tf.tidy(() => {
      const mask = tf.tensor4d(chosen, [heads.length, 1, count, 1]);
      const flat = (z: tf.Tensor4D) => tf.reshape(z, [1, batch * length, count, width]);
      const kept = tf.mul(flat(intact), tf.sub(1, mask));
      const all = tf.add(kept, tf.mul(flat(ablated), mask));
      return {
        residual: tf.tile(residual, [heads.length, 1, 1]),
        headOutputs: tf.reshape(all, [heads.length * batch, length, count, width]) as tf.Tensor4D,
      };
    });
  }

  private async run(
    layer: number,
    { residual, owners, headOutputs }: Variants & { readonly headOutputs?: tf.Tensor4D },
  ): Promise<Variants | null> {
    const { base, input, model } = this;
    const { ids, mask } = base.padded;
    const isLast = layer === model.architecture.layerCount - 1;
    const { interventions, hooks } = base.changes;
    const result = await model.forward({
      ids: owners.map(({ row }) => ids[row]!),
      mask: mask && owners.map(({ row }) => mask[row]!),
      ...{ interventions, hooks, signal: input.signal, residual, headOutputs },
      ...{ startBlock: layer, stopBlock: layer + 1 },
      ...(isLast ? outputOf(input.output) : ({ logits: 'none' } as const)),
    });
    if (!isLast) return { residual: result.residual, owners };
    const values =
      result.logits === null
        ? result.captured.get(STATES)!.data
        : ((await result.logits.data()) as Float32Array);
    result.dispose();
    const size = values.length / owners.length;
    for (const [at, { row, head }] of owners.entries()) {
      const { prompt } = base.prompts[row]!;
      input.visit({ prompt, head, values: values.subarray(at * size, (at + 1) * size) });
    }
    return null;
  }
}
