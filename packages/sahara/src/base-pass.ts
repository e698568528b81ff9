/**
 * A pass of prompts with nothing but a group ablated, which leaves behind what single heads of a
 * layer would give.
 */
import { tf } from '@lab/tensor';
import { type Hook, interventionHook, type Model } from '@lab/transformer';
import { ablatedHeads, directAblation, windowOf } from './ablated-heads.js';
import { ablationChanges, type PassChanges } from './ablation.js';
import { outputOf, type ScanInput, STATES, type TokenPrompt } from './head-outputs.js';
import { patchedHeads, SourcePass } from './source-pass.js';

/** A prompt and its position among all. */
export interface PlacedPrompt extends TokenPrompt {
  readonly prompt: number;
}

/** Ids filled up on the left to one length. */
export interface PaddedPrompts {
  readonly ids: readonly (readonly number[])[];
  /** Undefined where all have one length. */
  readonly mask: readonly (readonly number[])[] | undefined;
  readonly length: number;
}

/** What a layer leaves behind. */
export interface LayerParts {
  readonly layer: number;
  /** Before the layer, `[B, T, D]`. */
  readonly residual: tf.Tensor3D;
  /** What its heads give, `[B, T, H, F]`. */
  readonly intact: tf.Tensor4D;
  /** What each of them gives ablated; none depends on another. */
  readonly ablated: tf.Tensor4D;
}

/** Frees what layers left behind. */
export function disposeLayers(layers: readonly LayerParts[]): void {
  for (const { residual, intact, ablated } of layers) tf.dispose([residual, intact, ablated]);
}

/** Prompts of about one length as one batch, padded on the left. */
export function paddedPrompts(prompts: readonly TokenPrompt[]): PaddedPrompts {
  const length = prompts.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const filled = (count: number, value: number) => Array.from({ length: count }, () => value);
  const isPadded = prompts.some(({ ids }) => ids.length !== length);
  return {
    length,
    ids: prompts.map(({ ids }) => [...filled(length - ids.length, 0), ...ids]),
    mask: isPadded
      ? prompts.map(({ ids }) => [...filled(length - ids.length, 0), ...filled(ids.length, 1)])
      : undefined,
  };
}

/** A batch of prompts on its way through the model, from layer to layer. */
export class BasePass {
  readonly padded: PaddedPrompts;
  /** Of the group. */
  readonly changes: PassChanges;
  private residual: tf.Tensor3D | null = null;
  /** Of the kind `patch`, once a layer is wanted. */
  private sources: { readonly pass: SourcePass; readonly length: number } | null = null;
  /** Layer that comes next. */
  private at = 0;

  constructor(
    private readonly model: Model,
    readonly prompts: readonly PlacedPrompt[],
    private readonly input: ScanInput,
  ) {
    this.padded = paddedPrompts(prompts);
    this.changes = ablationChanges(model, input.ablation, input.group);
  }

  /**
   * Goes on to a layer, and gives the parts of those passed that are wanted; the caller frees them.
   *
   * @param to - layer before which it stops.
   */
  async advance(to: number, wanted: ReadonlySet<number>): Promise<LayerParts[]> {
    const layers: LayerParts[] = [];
    try {
      this.residual ??= await this.embedded();
      while (this.at < to) {
        const before: tf.Tensor3D = this.residual;
        const isWanted = wanted.has(this.at);
        const kept = isWanted ? await this.partedLayer(before) : null;
        if (kept !== null) layers.push(kept.parts);
        this.residual = kept?.after ?? (await this.plainLayer(before));
        if (!isWanted) before.dispose();
        this.at += 1;
      }
      return layers;
    } catch (error) {
      disposeLayers(layers);
      throw error;
    }
  }

  /** The outputs of the prompts, one after the other, once all layers are passed. */
  async outputs(): Promise<Float32Array> {
    const result = await this.model.forward({
      ...this.given(),
      startBlock: this.model.architecture.layerCount,
      residual: this.residual!,
      ...outputOf(this.input.output),
    });
    const values =
      result.logits === null
        ? result.captured.get(STATES)!.data
        : ((await result.logits.data()) as Float32Array);
    result.dispose();
    return values;
  }

  /** Before the layer that comes next, `[B, T, D]`; gone with the next `advance`. */
  get end(): tf.Tensor3D {
    return this.residual!;
  }

  dispose(): void {
    this.residual?.dispose();
    this.residual = null;
    this.sources?.pass.dispose();
    this.sources = null;
  }

  private given() {
    const { ids, mask } = this.padded;
    const { interventions, hooks } = this.changes;
    return { ids, mask, interventions, hooks, signal: this.input.signal };
  }

  private async embedded(): Promise<tf.Tensor3D> {
    const { residual } = await this.model.forward({ ...this.given(), stopBlock: 0 });
    return residual;
  }

  private async plainLayer(residual: tf.Tensor3D): Promise<tf.Tensor3D> {
    const part = { startBlock: this.at, stopBlock: this.at + 1, residual };
    const result = await this.model.forward({ ...this.given(), ...part, logits: 'none' });
    return result.residual;
  }

  /** A layer that leaves its parts behind. */
  private async partedLayer(residual: tf.Tensor3D) {
    const how = directAblation(this.input.ablation);
    const layer = this.at;
    const { after, intact, ablated } =
      how === null ? await this.layerTwice(residual) : await this.layerOnce(residual, how);
    return { after, parts: { layer, residual, intact, ablated } };
  }

  /** What ablated heads give follows from what heads give. */
  private async layerOnce(residual: tf.Tensor3D, how: 'factor' | 'running-mean' | 'source') {
    const { at: layer, model, padded, prompts } = this;
    const { ablation } = this.input;
    const source = how === 'source' ? await this.sourceOutputs(layer) : null;
    const kept: tf.Tensor4D[] = [];
    const keeper: Hook = {
      names: (name) => name === places(layer).values || name === places(layer).outputs,
      run: (value) => void kept.push(tf.keep(tf.clone(value as tf.Tensor4D))),
    };
    const { hooks, ...given } = this.given();
    const part = { startBlock: layer, stopBlock: layer + 1, residual, logits: 'none' } as const;
    try {
      const { residual: after } = await model.forward({
        ...{ ...given, ...part, hooks: [...hooks, keeper] },
      });
      const [values, intact] = kept as [tf.Tensor4D, tf.Tensor4D];
      const window = windowOf(model.architecture, layer);
      const ablated = tf.tidy(() =>
        how === 'source'
          ? patchedHeads(intact, source!.data, { prompts, length: source!.length })
          : ablatedHeads(how, { intact, values }, { ablation, tokens: padded, window }),
      );
      values.dispose();
      return { after, intact, ablated };
    } catch (error) {
      tf.dispose(kept);
      throw error;
    }
  }

  private async sourceOutputs(layer: number) {
    if (this.sources === null) {
      const padded = paddedPrompts(this.prompts.map(({ id, source }) => ({ id, ids: source! })));
      const pass = new SourcePass(this.model, padded, this.input.signal);
      this.sources = { pass, length: padded.length };
    }
    const { pass, length } = this.sources;
    return { data: await pass.outputs(layer), length };
  }

  /**
   * Each prompt is there twice in one pass: as it is, and with every head of the layer ablated.
   * Behind the heads the second is put back to the first.
   */
  private async layerTwice(residual: tf.Tensor3D) {
    const { at: layer, model, input } = this;
    const count = this.prompts.length;
    const { interventions, hooks } = ablationChanges(model, input.ablation, [
      { layer, head: null },
    ]);
    const all = [
      ...interventions.map((one) => interventionHook(one, model.architecture)),
      ...hooks,
    ].map((hook) => ofLaterRows(hook, count));
    const kept: tf.Tensor4D[] = [];
    const keeper: Hook = {
      names: places(layer).outputs,
      run: (value) => {
        const [intact, ablated] = tf.split(value, 2, 0) as tf.Tensor4D[];
        kept.push(tf.keep(intact!), tf.keep(ablated!));
        return tf.concat([intact!, intact!], 0);
      },
    };
    const { ids, mask, signal, ...group } = this.given();
    const twice = tf.concat([residual, residual], 0);
    try {
      const result = await model.forward({
        ...{ ids: [...ids, ...ids], mask: mask && [...mask, ...mask], signal },
        ...{ startBlock: layer, stopBlock: layer + 1, residual: twice, logits: 'none' },
        interventions: group.interventions,
        // First what sees all heads as they are: a mean over them is not to hold changed ones.
        hooks: [...all, ...group.hooks, keeper],
      });
      const after = tf.tidy(() => tf.slice(result.residual, [0, 0, 0], [count, -1, -1]));
      result.dispose();
      const [intact, ablated] = kept as [tf.Tensor4D, tf.Tensor4D];
      return { after, intact, ablated };
    } catch (error) {
      tf.dispose(kept);
      throw error;
    } finally {
      twice.dispose();
    }
  }
}

/** Places of a layer's values and of what its heads give. */
const places = (layer: number) => ({
  values: `blocks.${layer}.attn.hook_v`,
  outputs: `blocks.${layer}.attn.hook_z`,
});

/** A hook that changes the rows from `start` on alone. */
const ofLaterRows = ({ names, run }: Hook, start: number): Hook => ({
  names,
  run: (value, point) => {
    const rest = value.shape.slice(1);
    const zeros = rest.map(() => 0);
    const first = tf.slice(value, [0, ...zeros], [start, ...rest]);
    const later = tf.slice(value, [start, ...zeros], [-1, ...rest]);
    return tf.concat([first, run(later, point) ?? later], 0);
  },
});
