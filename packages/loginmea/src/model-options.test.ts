/**
 * Every option of the model against a float64 twin: embeddings, gradients by central differences
 * of the twin, shapes, parameters, training and leaks.
 */
import { relativeError } from '@lab/core/testing';
import { selectBackend, tf, valueAndGradients } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallFeatures, smallGraph, smallModel } from './__fixtures__/small-model.js';
import { type TwinInputs, type TwinParameter, twinEmbeddings } from './__fixtures__/twin.js';
import { completeSettings, type ModelSettings } from './model-settings.js';
import { createOptimizer, trainStep } from './step.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** float32 against float64. */
const EMBEDDING = 1e-5;
const GRADIENT = 1e-3;
const STEP = 1e-5;
/** Values of each parameter whose gradients are compared. */
const DIFFERENCES = 6;

const { heads, relations, tails } = smallGraph.triples;
const triples = Array.from(heads, (head, e) => [head, relations[e]!, tails[e]!]);

/** One entity has all, three have one, one has none. */
const partial = [
  [1, 1],
  [1, 0],
  [0, 1],
  [0, 0],
  [0, 1],
];

const twinInputs = (isMasked: boolean): TwinInputs => ({
  entityCount: smallGraph.entityCount,
  triples,
  features: [smallFeatures.image, null, smallFeatures.attribute],
  available: isMasked ? partial : partial.map(() => [1, 1]),
});

interface Option {
  readonly settings: ModelSettings;
  /** Columns of the embeddings, in units of D = 4. */
  readonly columns: number;
  readonly isMasked?: boolean;
}

const unit = { fusionStart: 'unit' } as const;
const options: readonly Option[] = [
  { settings: {}, columns: 7 },
  { settings: unit, columns: 7, isMasked: true },
  { settings: { ...unit, layers: 1 }, columns: 5 },
  { settings: { encoders: 'structure' }, columns: 3 },
  { settings: { ...unit, encoders: 'joint' }, columns: 4 },
  { settings: { ...unit, modalityWeights: 'uniform' }, columns: 7 },
  { settings: { ...unit, modalityWeights: 'uniform' }, columns: 7, isMasked: true },
  { settings: { fusion: 'sum' }, columns: 7, isMasked: true },
  { settings: { fusion: 'concatenation' }, columns: 7, isMasked: true },
  { settings: { fusion: 'concatenation', modalityWeights: 'uniform' }, columns: 7 },
  { settings: { fusion: 'early-only' }, columns: 5 },
  { settings: { fusion: 'early-only', encoders: 'joint' }, columns: 2, isMasked: true },
  { settings: { ...unit, fusionOutput: 'softmax' }, columns: 7 },
  { settings: { ...unit, fusionOutput: 'layer-norm' }, columns: 7 },
  { settings: { fusion: 'sum', fusionOutput: 'layer-norm' }, columns: 7 },
  { settings: { ...unit, propagation: 'gat' }, columns: 7 },
  { settings: { ...unit, propagation: 'gcn' }, columns: 7 },
  { settings: { ...unit, propagation: 'mean' }, columns: 7 },
  { settings: { ...unit, relationSets: 'one' }, columns: 7 },
  { settings: { ...unit, propagation: 'gat', relationSets: 'one' }, columns: 7 },
  { settings: { ...unit, proxies: 3, layers: 1, encoders: 'joint' }, columns: 3 },
  { settings: { encoders: 'structure', proxies: 2 }, columns: 3 },
];

const named = options.map((option): [string, Option] => [
  `${JSON.stringify(option.settings)}${option.isMasked ? ', masked' : ''}`,
  option,
]);

function modelOf({ settings, isMasked = false }: Option) {
  return smallModel(settings, isMasked ? partial : null);
}

/** Parameters away from their starts, so that no gradient vanishes, as the twin takes them. */
function shaken({ model }: ReturnType<typeof smallModel>): Record<string, TwinParameter> {
  const values: Record<string, TwinParameter> = {};
  for (const [index, name] of model.parameters.names().entries()) {
    const variable = model.parameters.get(name);
    const start = variable.dataSync();
    const data = Float32Array.from(start, (x, i) => x + 0.3 * Math.sin(1 + 2.3 * i + index));
    variable.assign(tf.tensor(data, variable.shape));
    values[name] = { shape: variable.shape, data: Float64Array.from(data) };
  }
  return values;
}

/** Weight of output i in the sum whose gradients are compared. */
const outputWeight = (i: number) => Math.sin(1 + 1.7 * i);

const weighted = (rows: readonly number[]) =>
  rows.reduce((total, value, i) => total + outputWeight(i) * value, 0);

/** Some of the values of a parameter, from its first to its last. */
function places(length: number): number[] {
  const count = Math.min(length, DIFFERENCES);
  return Array.from({ length: count }, (_, k) => Math.floor((k * length) / count));
}

/** Central differences of the twin's weighted sum by some values of one parameter. */
function differences(option: Option, values: Record<string, TwinParameter>, name: string) {
  const inputs = twinInputs(option.isMasked ?? false);
  const settings = completeSettings({ size: 4, rank: 2, ...option.settings });
  const scalar = () => weighted(twinEmbeddings(inputs, values, settings).flat());
  const { data } = values[name]!;
  return places(data.length).map((i) => {
    const value = data[i]!;
    data[i] = value + STEP;
    const above = scalar();
    data[i] = value - STEP;
    const below = scalar();
    data[i] = value;
    return (above - below) / (2 * STEP);
  });
}

/**
 * Without reflection, the second layer weighs equal messages: entity 1 alone has two neighbours,
 * and it is the one neighbour of both.
 */
const isSilent = ({ settings }: Option, name: string) =>
  settings.propagation === 'gat' && name.endsWith('.kernel.layer1');

describe.each(named)('the model with %s', (_, option) => {
  it('has the embeddings of the twin, in the expected columns', () => {
    const ours = modelOf(option);
    const values = shaken(ours);
    const embeddings = ours.model.embed();
    expect(embeddings.shape).toEqual([5, 4 * option.columns]);
    const settings = completeSettings({ size: 4, rank: 2, ...option.settings });
    const expected = twinEmbeddings(twinInputs(option.isMasked ?? false), values, settings);
    expect(relativeError(embeddings.dataSync(), expected.flat())).toBeLessThan(EMBEDDING);
    const some = ours.model.embed(Int32Array.of(4, 1, 1)).dataSync();
    const rows = [4, 1, 1].flatMap((entity) => expected[entity]!);
    expect(relativeError(some, rows)).toBeLessThan(EMBEDDING);
    ours.dispose();
  });

  it('has the gradients of the twin by every parameter', () => {
    const ours = modelOf(option);
    const values = shaken(ours);
    const { model } = ours;
    const { gradients } = valueAndGradients(model.parameters, () => {
      const rows = model.embed();
      const weights = Float32Array.from({ length: rows.size }, (_, i) => outputWeight(i));
      return tf.sum(tf.mul(rows, tf.tensor(weights, rows.shape)));
    });
    expect(Object.keys(gradients)).toEqual(model.parameters.names());
    for (const name of model.parameters.names()) {
      const expected = differences(option, values, name);
      const all = gradients[name]!.dataSync();
      const found = places(all.length).map((i) => all[i]!);
      if (isSilent(option, name)) {
        expect(Math.max(...found.map(Math.abs)), name).toBeLessThan(1e-6);
        continue;
      }
      expect(Math.max(...expected.map(Math.abs)), name).toBeGreaterThan(1e-4);
      expect(relativeError(found, expected), name).toBeLessThan(GRADIENT);
    }
    ours.dispose();
  });

  it('trains: the loss falls; and leaves no tensor behind', async () => {
    const batch = { left: Int32Array.of(0, 1, 4), right: Int32Array.of(2, 3, 1) };
    const losses: number[] = [];
    const body = async () => {
      const ours = modelOf(option);
      const optimizer = createOptimizer(ours.model);
      for (let step = 0; step < 6; step += 1) {
        const input = { batches: [batch], learningRate: 0.02 };
        losses.push((await trainStep(ours.model, optimizer, input))[0]!);
      }
      optimizer.dispose();
      ours.dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.01);
  });
});

describe('settings that contradict each other', () => {
  it('are refused', () => {
    expect(() => completeSettings({ encoders: 'joint', variant: 'structure-only' })).toThrow(
      /encoders is joint, but variant is structure-only/,
    );
    expect(() => completeSettings({ fusion: 'early-only', fusionOutput: 'softmax' })).toThrow(
      /early-only has no fused vector/,
    );
    expect(() => completeSettings({ proxies: -1 })).toThrow(/proxies is -1/);
  });

  it('and those that say the same agree', () => {
    const alone = completeSettings({ variant: 'structure-only' });
    expect(alone.encoders).toBe('structure');
    expect(completeSettings({ encoders: 'structure' })).toEqual(alone);
    expect(completeSettings(alone)).toEqual(alone);
  });
});
