import { modalities } from '@lab/alignment';
import { ConfigError, configTable, explainConfig, resolveConfig } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { configSchema, type IbmeaConfig, ibmeaConfig } from './config.js';

const resolve = (options: Parameters<typeof resolveConfig<IbmeaConfig>>[1]) =>
  resolveConfig(ibmeaConfig, options);

/** What the method's table of hyperparameters has for every preset of the released code. */
const shared = {
  learningRate: 0.006,
  weightDecay: 0.01,
  clip: 0.1,
  dropout: 0.45,
  layers: 2,
  heads: 2,
  graphSize: 300,
  featureSize: 100,
  betas: [0.001, 0.001, 0.01, 0.001],
  multiSimilarity: [40, 0.5],
  pseudoSeeds: [20, 5, 50],
  cslsNeighbours: 3,
  seed: 2023,
};

const fb15k = {
  seedShare: 0.2,
  epochs: 500,
  batchSize: 1000,
  warmup: 400,
  horizon: 1000,
  temperature: 400,
  alpha: 0.1,
  hybridWeight: 1,
};

const table = {
  dbp15k: {
    seedShare: 0.3,
    epochs: 1000,
    batchSize: 7500,
    warmup: 200,
    horizon: 1500,
    temperature: 0.1,
    alpha: 5,
    hybridWeight: 3,
  },
  'fb15k-db15k': fb15k,
  'fb15k-yago15k': fb15k,
};

function sharedOf({ seed, training, model, loss, pseudoSeeds, evaluation }: IbmeaConfig) {
  return {
    learningRate: training.learningRate,
    weightDecay: training.weightDecay,
    clip: training.clip,
    dropout: model.dropout,
    layers: model.layers,
    heads: model.heads,
    graphSize: model.graphSize,
    featureSize: model.featureSize,
    betas: [loss.graphBeta, loss.imageBeta, loss.relationBeta, loss.attributeBeta],
    multiSimilarity: [loss.beta, loss.lambda],
    pseudoSeeds: [pseudoSeeds.start, pseudoSeeds.every, pseudoSeeds.accept],
    cslsNeighbours: evaluation.cslsNeighbours,
    seed,
  };
}

function presetOf({ data, training, loss }: IbmeaConfig) {
  return {
    seedShare: data.seedShare,
    epochs: training.epochs,
    batchSize: training.batchSize,
    warmup: training.warmup,
    horizon: training.horizon,
    temperature: loss.temperature,
    alpha: loss.alpha,
    hybridWeight: loss.hybridWeight,
  };
}

describe('the published hyperparameters', () => {
  it.each(Object.entries(table))('preset %s, mode official', (preset, expected) => {
    const { config } = resolve({ preset, mode: 'official' });
    expect(presetOf(config)).toEqual(expected);
    expect(sharedOf(config)).toEqual(shared);
  });

  it.each([
    ['fb15k-db15k', fb15k],
    ['fb15k-yago15k', fb15k],
  ])('preset %s, mode corrected: DBP15K losses', (preset, expected) => {
    const { config } = resolve({ preset });
    const { temperature, alpha, hybridWeight } = table.dbp15k;
    expect(presetOf(config)).toEqual({ ...expected, temperature, alpha, hybridWeight });
    expect(sharedOf(config)).toEqual(shared);
  });

  it('preset dbp15k, mode corrected: a schedule and bottleneck weights of its own', () => {
    const { config } = resolve({ preset: 'dbp15k' });
    const schedule = { epochs: 300, warmup: 10, horizon: 375 };
    expect(presetOf(config)).toEqual({ ...table.dbp15k, ...schedule });
    const own = { betas: [1e-4, 1e-3, 1e-4, 1e-4], pseudoSeeds: [20, 5, 20] };
    expect(sharedOf(config)).toEqual({ ...shared, ...own });
    expect(config.model.initialScale).toBe(0.1);
    expect(resolve({ preset: 'dbp15k', mode: 'official' }).config.model.initialScale).toBe(1);
  });

  it('preset own takes all links as seeds and selects on a fifth of them', () => {
    for (const mode of ['corrected', 'official']) {
      const { data, evaluation } = resolve({ preset: 'own', mode }).config;
      expect(data).toMatchObject({ seedShare: 1, validationShare: 0.2 });
      expect(evaluation).toMatchObject({ candidates: 'all', select: 'validation' });
    }
  });
});

describe('the modes', () => {
  const behaviour = ({ data, model, loss, training, evaluation }: IbmeaConfig) => ({
    duplicateTriples: data.duplicateTriples,
    padColumns: data.padColumns,
    noise: model.noise,
    graphScale: model.graphScale,
    prior: model.prior,
    direction: loss.direction,
    klPer: loss.klPer,
    clipping: training.clipping,
    samples: evaluation.samples,
  });

  it('official is the released behaviour', () => {
    expect(behaviour(resolve({ mode: 'official' }).config)).toEqual({
      duplicateTriples: 'keep',
      padColumns: true,
      noise: 'official',
      graphScale: 'elu',
      prior: 'official',
      direction: 'left-to-right',
      klPer: 'batch',
      clipping: 'accumulated',
      samples: 1,
    });
  });

  it('corrected, the default, is what the equations mean', () => {
    const resolved = resolve({});
    expect(resolved.mode).toBe('corrected');
    expect(resolved.preset).toBe('dbp15k');
    expect(behaviour(resolved.config)).toEqual({
      duplicateTriples: 'drop',
      padColumns: false,
      noise: 'normal',
      graphScale: 'softplus',
      prior: 'standard',
      direction: 'both',
      klPer: 'epoch',
      clipping: 'once',
      samples: 0,
    });
  });

  it('says where each value comes from', () => {
    const resolved = resolve({
      preset: 'fb15k-db15k',
      mode: 'official',
      set: ['training.clip=0.2'],
      flags: { 'training.epochs': 3 },
    });
    expect(resolved.origins).toMatchObject({
      'model.heads': 'default',
      'model.noise': 'mode official',
      'data.seedShare': 'preset fb15k-db15k',
      'training.clip': '--set',
    });
    expect(resolved.config.training).toMatchObject({ clip: 0.2, epochs: 3 });
  });
});

describe('bad settings', () => {
  const refused = (set: string) => () => resolve({ set: [set] });

  it.each([
    ['loss.graphBeta=-0.001', /loss\.graphBeta/],
    ['loss.relationBeta=-1', /loss\.relationBeta/],
    ['loss.temperature=0', /loss\.temperature/],
    ['loss.temperature=-3', /loss\.temperature/],
    ['model.dropout=1', /model\.dropout/],
    ['model.dropout=-0.1', /model\.dropout/],
    ['data.seedShare=1.5', /data\.seedShare/],
    ['data.modalities=[]', /data\.modalities/],
    ['data.modalities=[sound]', /data\.modalities/],
    ['training.batchSize=1', /training\.batchSize/],
    ['training.epochs=-1', /training\.epochs/],
    ['training.learningRate=0', /training\.learningRate/],
    ['training.patience=1.5', /training\.patience/],
    ['evaluation.samples=101', /evaluation\.samples/],
    ['model.heads=9', /model\.heads/],
    ['seed=-1', /seed/],
  ])('%s is refused by name', (set, message) => {
    expect(refused(set)).toThrow(ConfigError);
    expect(refused(set)).toThrow(message);
  });

  it.each([
    ['loss.temprature=0.1', 'loss.temperature'],
    ['loss.hybrid=infonse', 'infonce'],
  ])('%s gets the nearest right word', (set, near) => {
    let problem = '';
    try {
      resolve({ set: [set] });
    } catch (error) {
      const { message, help } = error as ConfigError;
      problem = `${message} ${help}`;
    }
    expect(problem).toContain(near);
  });

  it.each([
    [{ preset: 'dpb15k' }, 'dbp15k'],
    [{ mode: 'oficial' }, 'official'],
  ])('%o gets the nearest right name', (options, near) => {
    expect.assertions(2);
    try {
      resolve(options);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).help).toContain(near);
    }
  });

  it('limits are allowed', () => {
    const set = ['loss.graphBeta=0', 'model.dropout=0', 'training.clip=0', 'training.epochs=0'];
    expect(resolve({ set }).config.loss.graphBeta).toBe(0);
  });
});

describe('the schema', () => {
  it('makes the same config of nothing and of its own output', () => {
    const config = configSchema.parse({});
    expect(configSchema.parse(structuredClone(config))).toEqual(config);
    expect(config.data.modalities).toEqual([...modalities]);
  });

  it('describes every option in the table of the README', () => {
    const resolved = resolve({});
    const text = configTable(ibmeaConfig);
    for (const { path, description } of explainConfig(ibmeaConfig, resolved)) {
      expect(text).toContain(path);
      expect(description.length, path).toBeGreaterThan(8);
    }
  });
});
