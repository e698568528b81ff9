/**
 * Final embeddings of all entities outside of training, and what the local interaction says.
 */
import type { EmbeddedSides, Encoding, EntitySides, Modality } from '@lab/alignment';
import type { Random } from '@lab/core';
import { gatherRows, l2NormalizeRows, tf } from '@lab/tensor';
import { encodeModality, encoderParameters } from './encoders.js';
import { localInteraction } from './local-interaction.js';
import type { LoginmeaModel, ModelInputs } from './model.js';

/** Weights of the modalities and norms of the fused vectors, per entity. */
export interface LocalFindings {
  /** alpha, `[N, M]` row by row, modalities in the model's order; null without fusion. */
  readonly weights: Float32Array | null;
  /** |f|, `[N]`; null without fusion. */
  readonly fusedNorms: Float32Array | null;
}

/** An encoding that also tells what the local interaction did. */
export interface LoginmeaEncoding extends Encoding {
  embed(sides: EntitySides, random: Random | null): EmbeddedSides;
  modalityRows(modality: Modality, entities: Int32Array): tf.Tensor2D;
  findings(): Promise<LocalFindings>;
}

/** All entities encoded by the model as it is; the caller disposes it. */
export function encode(model: LoginmeaModel, inputs: ModelInputs): LoginmeaEncoding {
  const embeddings = tf.tidy(() => l2NormalizeRows(model.embed())); // [N, D']
  const rowsOf = (entities: Int32Array) =>
    tf.tidy(() => gatherRows(embeddings, tf.tensor1d(entities, 'int32')));
  const findings = () => readFindings(model, inputs);
  return {
    embed: ({ left, right }: EntitySides) => {
      const rows = { left: [rowsOf(left)], right: [rowsOf(right)] };
      return { ...rows, dispose: () => tf.dispose([...rows.left, ...rows.right]) };
    },
    modalityRows: (modality, entities) =>
      modality === 'graph'
        ? structureRows(model, embeddings, entities)
        : featureRows(model, inputs, { modality, entities }),
    describe: async () => describeFindings(model, await findings()),
    findings,
    dispose: () => embeddings.dispose(),
  };
}

/** The structure encoder's part of the embeddings at length 1. */
function structureRows(
  { settings }: LoginmeaModel,
  embeddings: tf.Tensor2D,
  entities: Int32Array,
): tf.Tensor2D {
  return tf.tidy(() => {
    const width = (settings.layers + 1) * settings.size;
    const rows = gatherRows(embeddings, tf.tensor1d(entities, 'int32'));
    return l2NormalizeRows(tf.slice(rows, [0, 0], [-1, width]));
  });
}

/** z_m of some entities at length 1. */
function featureRows(
  { parameters }: LoginmeaModel,
  { features }: ModelInputs,
  { modality, entities }: { readonly modality: Modality; readonly entities: Int32Array },
): tf.Tensor2D {
  return tf.tidy(() => {
    if (modality === 'graph') throw new TypeError('loginmea/encoding: the graph has no features.');
    const all = encodeModality(features[modality]!, encoderParameters(parameters, modality));
    return l2NormalizeRows(gatherRows(all, tf.tensor1d(entities, 'int32')));
  });
}

async function readFindings(model: LoginmeaModel, inputs: ModelInputs): Promise<LocalFindings> {
  if (model.modalities.length === 0 || model.settings.fusion === 'early-only') {
    return { weights: null, fusedNorms: null };
  }
  const [weights, norms] = tf.tidy(() => {
    const local = localInteraction(inputs, model.parameters, model.settings);
    return [local.weights!, tf.norm(local.fused!, 2, 1)];
  }) as [tf.Tensor, tf.Tensor];
  const found = {
    weights: (await weights.data()) as Float32Array,
    fusedNorms: (await norms.data()) as Float32Array,
  };
  tf.dispose([weights, norms]);
  return found;
}

/** Mean weight per modality and mean length of the fused vectors. */
function describeFindings(
  { modalities }: LoginmeaModel,
  { weights, fusedNorms }: LocalFindings,
): Record<string, unknown> {
  const mean = (values: Float32Array) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = modalities.map((name, column) => {
    const own = (weights ?? new Float32Array(0)).filter(
      (_, at) => at % modalities.length === column,
    );
    return [name, mean(own)] as const;
  });
  return {
    ...(weights === null ? {} : { modalityWeights: Object.fromEntries(means) }),
    ...(fusedNorms === null ? {} : { fusedNorm: mean(fusedNorms) }),
  };
}
