import { modalities } from '@lab/alignment';
import { ConfigError, configTable, explainConfig, resolveConfig } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { configSchema, type LoginmeaConfig, loginmeaConfig } from './config.js';
import { presets } from './presets.js';

const resolve = (options: Parameters<typeof resolveConfig<LoginmeaConfig>>[1]) =>
  resolveConfig(loginmeaConfig, options);

/** What the released script sets, whatever the data set. */
const script = {
  epochs: 1000,
  learningRate: 5e-4,
  optimizerReset: 'every-epoch',
  batchSize: 3500,
  weightDecay: 0.01,
  lateRate: 0.2,
  size: 300,
  rank: 8,
  layers: 2,
  temperature: 0.1,
  direction: 'left-to-right',
  pseudoSeeds: [50, 5, 50, false],
  cslsNeighbours: 3,
  seed: 2023,
};

/** What differs in mode corrected: length and rate of the supplement, one reset. */
const supplement = { epochs: 600, learningRate: 5e-3, optimizerReset: 'once' };

function settingsOf(config: LoginmeaConfig) {
  const { seed, training, model, loss, pseudoSeeds, evaluation } = config;
  const { epochs, learningRate, optimizerReset, batchSize, weightDecay, lateRate } = training;
  const { start, every, accept, remove } = pseudoSeeds;
  return {
    epochs,
    learningRate,
    optimizerReset,
    batchSize,
    weightDecay,
    lateRate,
    size: model.size,
    rank: model.rank,
    layers: model.layers,
    temperature: loss.temperature,
    direction: loss.direction,
    pseudoSeeds: [start, every, accept, remove],
    cslsNeighbours: evaluation.cslsNeighbours,
    seed,
  };
}

describe('the published hyperparameters', () => {
  it.each([
    ['dbp15k', 0.3],
    ['fb15k-db15k', 0.2],
    ['fb15k-yago15k', 0.2],
  ])('preset %s: one set of values in each mode, a share of seeds of %d', (preset, share) => {
    const official = resolve({ preset, mode: 'official' }).config;
    expect(settingsOf(official)).toEqual(script);
    expect(official.data.seedShare).toBe(share);
    const corrected = resolve({ preset }).config;
    expect(settingsOf(corrected)).toEqual({ ...script, ...supplement });
    expect(corrected.data.seedShare).toBe(share);
  });

  it('the late rate of the script is a fifth: 1e-4', () => {
    const { learningRate, lateRate } = resolve({ mode: 'official' }).config.training;
    expect(learningRate * lateRate).toBeCloseTo(1e-4, 12);
  });

  it.each(['corrected', 'official'])(
    'short presets take the rate of the supplement in mode %s too',
    (mode) => {
      const quick = resolve({ preset: 'quick', mode }).config;
      expect(quick.training).toMatchObject({ epochs: 60, learningRate: 5e-3 });
      const own = resolve({ preset: 'own', mode }).config;
      expect(own.training).toMatchObject({ epochs: 100, learningRate: 5e-3, patience: 3 });
      expect(own.data).toMatchObject({ seedShare: 1, validationShare: 0.2 });
      expect(own.evaluation).toMatchObject({ candidates: 'all', select: 'validation' });
    },
  );
});

describe('the modes', () => {
  const behaviour = ({ data, training, evaluation }: LoginmeaConfig) => ({
    duplicateTriples: data.duplicateTriples,
    missingImages: data.missingImages,
    relationScaling: data.relationScaling,
    padColumns: data.padColumns,
    optimizerReset: training.optimizerReset,
    select: evaluation.select,
  });

  it('official is the released behaviour', () => {
    expect(behaviour(resolve({ mode: 'official' }).config)).toEqual({
      duplicateTriples: 'keep',
      missingImages: 'random',
      relationScaling: 'none',
      padColumns: false,
      optimizerReset: 'every-epoch',
      select: 'test-oracle',
    });
  });

  it('corrected, the default, counts a triple once and reports the last epoch', () => {
    const resolved = resolve({});
    expect([resolved.mode, resolved.preset]).toEqual(['corrected', 'dbp15k']);
    expect(behaviour(resolved.config)).toEqual({
      duplicateTriples: 'drop',
      missingImages: 'neighbour-mean',
      relationScaling: 'none',
      padColumns: false,
      optimizerReset: 'once',
      select: 'last',
    });
  });

  it('have the same model and the same loss', () => {
    const [official, corrected] = ['official', 'corrected'].map((mode) => resolve({ mode }).config);
    expect(official!.model).toEqual(corrected!.model);
    expect(official!.loss).toEqual(corrected!.loss);
    expect(official!.loss.kind).toBe('infonce');
  });

  it('resolve with every preset', () => {
    for (const preset of Object.keys(presets)) {
      for (const mode of loginmeaConfig.modes) {
        const resolved = resolve({ preset, mode });
        expect([resolved.preset, resolved.mode]).toEqual([preset, mode]);
        expect(configSchema.parse(structuredClone(resolved.config))).toEqual(resolved.config);
      }
    }
  });

  it('say where each value comes from', () => {
    const resolved = resolve({
      preset: 'fb15k-db15k',
      mode: 'official',
      set: ['model.rank=16'],
      flags: { 'training.epochs': 3 },
    });
    expect(resolved.origins).toMatchObject({
      'model.layers': 'default',
      'training.learningRate': 'mode official',
      'data.seedShare': 'preset fb15k-db15k',
      'model.rank': '--set',
    });
    expect(resolved.config).toMatchObject({ model: { rank: 16 }, training: { epochs: 3 } });
  });
});

describe('bad settings', () => {
  const refused = (set: string) => () => resolve({ set: [set] });

  it.each([
    ['model.size=0', /model\.size/],
    ['model.rank=0', /model\.rank/],
    ['model.rank=1.5', /model\.rank/],
    ['model.layers=0', /model\.layers/],
    ['model.layers=9', /model\.layers/],
    ['model.proxies=-1', /model\.proxies/],
    ['model.fusion=product', /model\.fusion/],
    ['model.propagation=rnn', /model\.propagation/],
    ['loss.temperature=0', /loss\.temperature/],
    ['loss.margin=-1', /loss\.margin/],
    ['loss.hardScale=0', /loss\.hardScale/],
    ['loss.kind=triplet', /loss\.kind/],
    ['data.modalities=[]', /data\.modalities/],
    ['data.modalities=[sound]', /data\.modalities/],
    ['data.seedShare=1.5', /data\.seedShare/],
    ['training.batchSize=1', /training\.batchSize/],
    ['training.epochs=-1', /training\.epochs/],
    ['training.learningRate=0', /training\.learningRate/],
    ['training.lateRate=0', /training\.lateRate/],
    ['training.optimizerReset=always', /training\.optimizerReset/],
    ['seed=-1', /seed/],
  ])('%s is refused by its path, with help', (set, message) => {
    expect.assertions(3);
    try {
      refused(set)();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).message).toMatch(message);
      expect((error as ConfigError).help).toMatch(/\w/);
    }
  });

  it.each([
    ['loss.temprature=0.1', 'loss.temperature'],
    ['model.fusoin=sum', 'model.fusion'],
    ['loss.kind=infonse', 'infonce'],
    ['training.optimizerReset=onec', 'once'],
  ])('%s gets the nearest right word', (set, near) => {
    let problem = '';
    try {
      refused(set)();
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
    const set = ['model.rank=1', 'model.layers=8', 'model.proxies=0', 'training.weightDecay=0'];
    expect(resolve({ set }).config.model).toMatchObject({ rank: 1, layers: 8, proxies: 0 });
  });
});

describe('the schema', () => {
  it('makes the same config of nothing and of its own output', () => {
    const config = configSchema.parse({});
    expect(configSchema.parse(structuredClone(config))).toEqual(config);
    expect(config.data.modalities).toEqual([...modalities]);
  });

  it('has two levels of camel-case names, and a description of each in the table', () => {
    const text = configTable(loginmeaConfig);
    for (const { path, description } of explainConfig(loginmeaConfig, resolve({}))) {
      expect(path).toMatch(/^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)?$/);
      expect(text).toContain(path);
      expect(description.length, path).toBeGreaterThan(8);
    }
  });
});
