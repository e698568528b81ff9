/**
 * Encoders, modality weights, low-rank fusion and early feature against the independent PyTorch
 * twin, from its features and starts: values, and the gradients of the loss on the final
 * embeddings. The twin computed in float64; its own float32 run stays within 2e-6 of it.
 */
import { type Parameters, selectBackend, tf, valueAndGradients } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  contrastiveLoss,
  earlyFusion,
  encodeModality,
  encoderParameters,
  type Features,
  fusionParameters,
  lowRankFusion,
  type Modality,
  modalities,
  modalityScores,
  modalityWeights,
  type PerModality,
} from '../../src/index.js';
import { finalEmbeddings } from './global-step.js';
import {
  type Golden,
  goldenBatches,
  goldenParameters,
  numbersOf,
  readGolden,
  relativeError,
  sparseOf,
  tensorOf,
} from './golden-file.js';

/** Largest difference relative to the tensor's largest value. */
const RELATIVE = 1e-4;

let problem: Golden;

beforeAll(async () => {
  await selectBackend('wasm');
  problem = await readGolden('problem');
});
afterAll(() => tf.disposeVariables());

function featuresOf(golden: Golden, modality: Modality): Features {
  const key = `features.${modality}`;
  return modality === 'image' ? tensorOf<tf.Tensor2D>(golden, key) : sparseOf(golden, key);
}

interface Inputs {
  readonly features: PerModality<Features>;
  readonly available: tf.Tensor2D | null;
}

/** Everything before the global step, by the names of the file. */
function localInteraction({ features, available }: Inputs, parameters: Parameters) {
  const present = modalities.filter((modality) => features[modality] !== undefined);
  const z: PerModality<tf.Tensor2D> = {};
  for (const modality of present) {
    z[modality] = encodeModality(features[modality]!, encoderParameters(parameters, modality));
  }
  const score = modalityScores(z, parameters.get('modalityQuery') as tf.Tensor1D);
  const alpha = modalityWeights(score, available);
  const fused = lowRankFusion(z, alpha, fusionParameters(parameters, present));
  const early = earlyFusion(z, parameters.get('earlyWeights') as tf.Tensor1D, available);
  return { z, score, alpha, fused, early };
}

const files = [
  { file: 'official', present: modalities, isMasked: false },
  { file: 'corrected', present: modalities, isMasked: false },
  { file: 'masked', present: modalities, isMasked: true },
  { file: 'noimage', present: ['relation', 'attribute'], isMasked: false },
] as const;

describe.each(files)('$file', ({ file, present, isMasked }) => {
  let golden: Golden;
  let inputs: Inputs;
  let parameters: Parameters;
  beforeAll(async () => {
    golden = await readGolden(file);
    const features: PerModality<Features> = {};
    for (const modality of present) features[modality] = featuresOf(golden, modality);
    const available = isMasked ? tensorOf<tf.Tensor2D>(golden, 'available') : null;
    inputs = { features, available };
    parameters = goldenParameters(problem);
  });

  it('gives the twin’s vectors, weights and fused rows', async () => {
    const { z, ...local } = localInteraction(inputs, parameters);
    const found: Record<string, tf.Tensor> = { ...local };
    for (const modality of present) found[`z.${modality}`] = z[modality]!;
    for (const [name, tensor] of Object.entries(found)) {
      const expected = numbersOf(golden, `step0.out.${name}`);
      expect(relativeError(await tensor.data(), expected), name).toBeLessThan(RELATIVE);
    }
  });

  it('gives the twin’s losses of the first epoch and the gradients of their sum', async () => {
    const losses: number[] = [];
    const { gradients } = valueAndGradients(parameters, () => {
      const local = localInteraction(inputs, parameters);
      const embeddings = finalEmbeddings(local, parameters, golden);
      const terms = goldenBatches(problem, 0).map((batch) => contrastiveLoss(embeddings, batch));
      losses.push(...terms.map((term) => term.dataSync()[0]!));
      return tf.addN(terms) as tf.Scalar;
    });
    expect(relativeError(losses, numbersOf(golden, 'step0.loss'))).toBeLessThan(RELATIVE);
    const inFile = Object.keys(golden).filter((key) => key.startsWith('step0.gradient.'));
    const names = inFile.map((key) => key.slice('step0.gradient.'.length));
    expect(names.filter((name) => name.startsWith('fusion.'))).toHaveLength(present.length + 2);
    for (const name of names) {
      const got = await gradients[name]!.data();
      const expected = numbersOf(golden, `step0.gradient.${name}`);
      expect(relativeError(got, expected), name).toBeLessThan(RELATIVE);
    }
  });
});
