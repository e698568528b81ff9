/**
 * The forward pass, the losses of the first epoch and the gradients of their sum against the
 * independent PyTorch twin, from its features and starts. The twin computed in float64; its own
 * float32 run stays within 2e-6 of it.
 */
import { reflectionWeights } from '@lab/graph';
import { relativeError } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FusedInteraction, localInteraction } from '../../src/local-interaction.js';
import { lowRankFusion, fusionParameters } from '../../src/low-rank-fusion.js';
import { type LoginmeaModel, type ModelInputs } from '../../src/model.js';
import { reflectionStates } from '../../src/propagation.js';
import { proxyMatching, proxyParameters } from '../../src/proxy-matching.js';
import {
  jointBlocks,
  neighbourhoodMean,
  relationKernels,
  sharedSetVectors,
  structureBlocks,
} from '../../src/relation-attention.js';
import { stepGradients } from '../../src/step.js';
import { type Golden, goldenBatches, integersOf, numbersOf, readGolden } from './golden-file.js';
import { goldenCases, type GoldenModel, goldenModel } from './golden-model.js';

/** Largest difference relative to the tensor's largest value. */
const RELATIVE = 1e-4;
const LAYERS = 2;

let problem: Golden;

beforeAll(async () => {
  await selectBackend('wasm');
  problem = await readGolden('problem');
});

/** The products of the modalities for each rank, `[K, N, D]`: fusions of one rank without bias. */
function fusionProducts({ parameters, modalities }: LoginmeaModel, local: FusedInteraction) {
  const { factors, bias } = fusionParameters(parameters, modalities);
  const rankWeight = tf.ones([1]) as tf.Tensor1D;
  const perRank = Array.from({ length: 4 }, (_, rank) => {
    const cut = modalities.map((m) => [m, tf.slice(factors[m]!, rank, 1)] as const);
    const one = { factors: Object.fromEntries(cut), rankWeight, bias: tf.zerosLike(bias) };
    return lowRankFusion(local.rows, local.weights, one);
  });
  return tf.stack(perRank);
}

/** Everything of the global interaction, by the names of the file. */
function globalInteraction(
  { graph }: ModelInputs,
  { parameters }: LoginmeaModel,
  local: FusedInteraction,
): Record<string, tf.Tensor> {
  const { pattern } = graph;
  const setVectors = sharedSetVectors(parameters, graph);
  const neighbourhood = neighbourhoodMean(parameters.get('entity') as tf.Tensor2D, graph);
  const found: Record<string, tf.Tensor> = { setVector: setVectors, neighbourhood };
  const starts = { structure: neighbourhood, joint: local.fused };
  for (const encoder of ['structure', 'joint'] as const) {
    const kernels = relationKernels(parameters, encoder, LAYERS);
    reflectionStates(starts[encoder], { pattern, setVectors, kernels }).forEach((state, layer) => {
      found[`${encoder}.state${layer}`] = state;
    });
    kernels.forEach((kernel, layer) => {
      const perSet = tf.reshape(tf.matMul(setVectors, tf.reshape(kernel, [-1, 1])), [-1]);
      found[`${encoder}.logit.layer${layer}`] = tf.gather(perSet, pattern.receivers.columns);
      found[`${encoder}.attention.layer${layer}`] = reflectionWeights({
        pattern,
        setVectors,
        kernel,
      });
    });
  }
  return found;
}

describe.each(goldenCases)('$file', (settings) => {
  let golden: Golden;
  let ours: GoldenModel;
  beforeAll(async () => {
    golden = await readGolden(settings.file);
  });
  beforeEach(() => {
    ours = goldenModel(problem, golden, settings);
  });
  afterEach(() => ours.dispose());

  it('has the twin’s pairs of entities and relation sets', () => {
    const { neighbours, receivers, averaging } = ours.inputs.graph.pattern;
    const rows = neighbours.rows.dataSync();
    const columns = neighbours.columns.dataSync();
    const pairs = Array.from(rows).flatMap((row, e) => [row, columns[e]!]);
    expect(pairs).toEqual(numbersOf(golden, 'pairs'));
    expect(Array.from(receivers.columns.dataSync())).toEqual(numbersOf(golden, 'pairSet'));
    expect(Int32Array.from(averaging.columns.dataSync())).toEqual(
      integersOf(golden, 'setRelations'),
    );
  });

  it('gives every named value of the twin’s forward pass', async () => {
    const { inputs, model } = ours;
    const local = localInteraction(inputs, model.parameters);
    const { rows, scores, weights, fused, early } = local;
    const found: Record<string, tf.Tensor> = {
      ...globalInteraction(inputs, model, local),
      score: scores,
      alpha: weights,
      fused,
      early,
      fusionProduct: fusionProducts(model, local),
      earlyWeight: tf.softmax(model.parameters.get('earlyWeights')),
      embedding: model.embed(),
    };
    for (const modality of settings.present) found[`z.${modality}`] = rows[modality]!;
    const inFile = Object.keys(golden).filter((key) => key.startsWith('step0.out.'));
    expect(
      Object.keys(found)
        .map((name) => `step0.out.${name}`)
        .sort(),
    ).toEqual(inFile.sort());
    for (const [name, tensor] of Object.entries(found)) {
      const expected = numbersOf(golden, `step0.out.${name}`);
      expect(relativeError(await tensor.data(), expected), name).toBeLessThan(RELATIVE);
    }
  });

  it('puts the blocks of both encoders side by side, the structure first', () => {
    const { inputs, model } = ours;
    const { parameters } = model;
    const { graph } = inputs;
    const networkOf = (encoder: 'structure' | 'joint') => ({
      pattern: graph.pattern,
      setVectors: sharedSetVectors(parameters, graph),
      kernels: relationKernels(parameters, encoder, LAYERS),
    });
    const entity = parameters.get('entity') as tf.Tensor2D;
    const structure = tf.concat(structureBlocks(entity, graph, networkOf('structure')), 1);
    const joint = jointBlocks(localInteraction(inputs, parameters), networkOf('joint'));
    const joined = tf.concat([structure, ...joint], 1) as tf.Tensor2D;
    const hasProxies = settings.proxies !== undefined;
    const whole = hasProxies ? proxyMatching(joined, proxyParameters(parameters)) : joined;
    expect(model.embed().dataSync()).toEqual(whole.dataSync());
    const variant = { variant: 'structure-only', proxies: 0 } as const;
    const alone = goldenModel(problem, golden, settings, variant);
    expect(alone.model.embed().dataSync()).toEqual(structure.dataSync());
    alone.dispose();
  });

  it('gives the twin’s losses of the first epoch and the gradients of their sum', async () => {
    const { model } = ours;
    const input = { batches: goldenBatches(problem, 0) };
    const { losses, gradients } = await stepGradients(model, input);
    expect(relativeError(losses, numbersOf(golden, 'step0.loss'))).toBeLessThan(RELATIVE);
    const inFile = Object.keys(golden).filter((key) => key.startsWith('step0.gradient.'));
    const names = inFile.map((key) => key.slice('step0.gradient.'.length));
    expect(Object.keys(gradients).sort()).toEqual(names.sort());
    for (const name of names) {
      const got = await gradients[name]!.data();
      const expected = numbersOf(golden, `step0.gradient.${name}`);
      expect(relativeError(got, expected), name).toBeLessThan(RELATIVE);
    }
    tf.dispose(gradients);
  });

  it('leaves no tensor behind', async () => {
    const input = { batches: goldenBatches(problem, 0) };
    const body = async () => {
      const other = goldenModel(problem, golden, settings);
      other.model.embed().dispose();
      tf.dispose((await stepGradients(other.model, input)).gradients);
      other.dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});
