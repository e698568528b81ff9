/**
 * A run of consecutive layers left out: which layers do refusals need at all?
 */
import { ConfigError } from '@lab/core';
import type { Model } from '@lab/transformer';
import type { PassChanges } from '../ablation.js';
import type { Arm } from '../arms.js';

/**
 * Changes that leave layers out: attention and MLP of each add nothing to the residual.
 *
 * @throws {ConfigError} for a layer that is not there.
 */
export function skippedLayers(
  { architecture }: Pick<Model, 'architecture'>,
  layers: readonly number[],
): PassChanges {
  const { layerCount } = architecture;
  const wrong = layers.find((one) => !(Number.isInteger(one) && one >= 0 && one < layerCount));
  if (wrong !== undefined) {
    throw new ConfigError(`sahara/skipped-layers: there is no layer ${wrong}.`, {
      help: `Layers are 0 to ${layerCount - 1}.`,
    });
  }
  const places = layers.flatMap((layer) => [
    `blocks.${layer}.hook_attn_out`,
    `blocks.${layer}.hook_mlp_out`,
  ]);
  return { interventions: places.map((site) => ({ kind: 'zero', site })), hooks: [] };
}

/**
 * Arms for `runArms` that leave out every run of so many layers, the first beginning at layer 0.
 *
 * Source: Zhao et al., Defending Large Language Models Against Jailbreak Attacks via Layer-specific
 * Editing (layers are pruned in runs, and refusals watched).
 *
 * @param length - layers of a run; default 1.
 * @throws {ConfigError} for less than one, and more than the model has.
 */
export function layerRunArms(model: Pick<Model, 'architecture'>, length = 1): Arm[] {
  const { layerCount } = model.architecture;
  if (!(Number.isInteger(length) && length >= 1 && length <= layerCount)) {
    throw new ConfigError(`sahara/skipped-layers: runs of ${length} layers.`, {
      help: `The model has ${layerCount}.`,
    });
  }
  return Array.from({ length: layerCount - length + 1 }, (_, from) => {
    const layers = Array.from({ length }, (__, at) => from + at);
    const name =
      length === 1 ? `without layer ${from}` : `without layers ${from}-${from + length - 1}`;
    return { name, changes: skippedLayers(model, layers) };
  });
}
