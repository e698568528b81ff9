import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ConfigDefinition, type ConfigInput, explainConfig, resolveConfig } from './config.js';
import { configJsonSchema, configTable } from './config-docs.js';
import { ConfigError } from './errors.js';

const schema = z.strictObject({
  model: z
    .strictObject({
      size: z.int().positive().default(300).describe('width of the embedding; features'),
      kind: z.enum(['small', 'large']).default('small').describe('which model | form'),
      name: z.string().default('x').describe('name'),
    })
    .prefault({}),
  training: z
    .strictObject({
      lr: z.number().gt(0).max(1).default(5e-4).describe('learning rate'),
      epochs: z.int().min(0).default(300).describe('epochs'),
      seed: z.int().default(0).describe('seed of all randomness'),
      warmup: z.number().min(0).nullable().default(null).describe('share of warm-up'),
      shuffle: z.boolean().default(true).describe('new order in each epoch'),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      hitsAt: z.array(z.int().positive()).min(1).default([1, 5]).describe('ranks that count'),
      step: z
        .union([z.literal('epoch'), z.int()])
        .default('epoch')
        .describe('when'),
    })
    .prefault({}),
});

type Config = z.infer<typeof schema>;

const definition: ConfigDefinition<Config> = {
  name: 'demo',
  schema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues: { official: { training: { lr: 0.001, epochs: 10 }, model: { name: 'mode' } } },
  presets: {
    dbp15k: {
      description: 'DBP15K',
      values: { training: { epochs: 500 }, model: { size: 200 } },
      modeValues: { official: { model: { size: 100 } } },
    },
    own: { description: 'own graphs', values: {} },
  },
};

function resolve(input: ConfigInput = {}) {
  return resolveConfig(definition, input);
}

function problem(input: ConfigInput): ConfigError {
  try {
    resolve(input);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('resolved');
}

describe('resolveConfig', () => {
  it('gives the defaults', () => {
    const { config, mode, preset, origins } = resolve();
    expect(config).toEqual({
      model: { size: 300, kind: 'small', name: 'x' },
      training: { lr: 5e-4, epochs: 300, seed: 0, warmup: null, shuffle: true },
      evaluation: { hitsAt: [1, 5], step: 'epoch' },
    });
    expect([mode, preset]).toEqual(['corrected', null]);
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
    expect(Object.keys(origins)).toHaveLength(10);
  });

  it('lays mode, preset, file, --set and flags over each other in this order', () => {
    const { config, origins } = resolve({
      mode: 'official',
      preset: 'dbp15k',
      file: { name: 'x.yaml', values: { training: { epochs: 7, shuffle: false, lr: 0.5 } } },
      set: ['training.lr=1e-3', 'evaluation.hitsAt=[1,10]', 'training.shuffle=true'],
      flags: { 'training.seed': 5, 'training.shuffle': false, 'model.kind': undefined },
    });
    expect(config.model).toEqual({ size: 100, kind: 'small', name: 'mode' });
    expect(config.training).toMatchObject({ lr: 1e-3, epochs: 7, seed: 5, shuffle: false });
    expect(config.evaluation.hitsAt).toEqual([1, 10]);
    expect(origins).toMatchObject({
      'model.size': 'preset dbp15k official',
      'model.name': 'mode official',
      'model.kind': 'default',
      'training.epochs': 'file x.yaml',
      'training.lr': '--set',
      'training.seed': '--seed',
      'training.shuffle': '--shuffle',
    });
    expect(resolve({ preset: 'dbp15k' }).config.model.size).toBe(200);
  });

  it('uses the default preset when none is chosen', () => {
    const withDefault = { ...definition, defaultPreset: 'dbp15k' };
    expect(resolveConfig(withDefault, {})).toMatchObject({
      preset: 'dbp15k',
      config: { model: { size: 200 } },
    });
  });

  it('lets the file name mode and preset, which flags override', () => {
    const file = { name: 'x.yaml', values: { mode: 'official', preset: 'dbp15k' } };
    expect(resolve({ file })).toMatchObject({ mode: 'official', preset: 'dbp15k' });
    expect(resolve({ file, mode: 'corrected' })).toMatchObject({ mode: 'corrected' });
    expect(resolve({ file: { name: 'empty.yaml', values: null } }).config.model.size).toBe(300);
  });

  it.each([
    ['training.lr=1e-3', 'training.lr', 1e-3],
    ['training.warmup=.5', 'training.warmup', 0.5],
    ['training.warmup=null', 'training.warmup', null],
    ['training.shuffle=false', 'training.shuffle', false],
    ['model.name=a=b', 'model.name', 'a=b'],
    ['model.name=', 'model.name', ''],
    ['model.name="7"', 'model.name', '7'],
    ['model.name=7', 'model.name', '7'],
    ['model.name=true', 'model.name', 'true'],
    ['evaluation.hitsAt=[1, 5,10]', 'evaluation.hitsAt', [1, 5, 10]],
    ['evaluation.step=3', 'evaluation.step', 3],
  ])('reads --set %s', (entry, path, value) => {
    const explained = explainConfig(definition, resolve({ set: [entry] }));
    expect(explained.find((row) => row.path === path)).toMatchObject({ value, origin: '--set' });
  });

  it.each<[ConfigInput, string, string]>([
    [{ preset: 'dbp15' }, 'unknown preset "dbp15"', 'did you mean dbp15k?'],
    [{ preset: 'zzz' }, 'unknown preset "zzz"', 'presets are: dbp15k, own.'],
    [{ mode: 'offical' }, 'unknown mode "offical"', 'did you mean official?'],
    [{ set: ['training.epoch=3'] }, '--set: unknown option "training.epoch"', 'training.epochs?'],
    [{ set: ['lr=3'] }, 'unknown option "lr" of demo', 'did you mean training.lr?'],
    [{ set: ['modle.size=3'] }, 'unknown option "modle.size"', 'did you mean model.size?'],
    [{ set: ['training=3'] }, 'training is a topic', 'options are training.lr'],
    [{ set: ['qqqq=3'] }, 'unknown option "qqqq"', 'options are model.size'],
    [
      { set: ['training.lr'] },
      '"training.lr" is not of the form path=value',
      'write --set PATH=VALUE',
    ],
    [{ set: ['__proto__.x=1'] }, 'unknown option "__proto__.x"', 'options are'],
    [
      { file: { name: 'x.yaml', values: { training: { sed: 1 } } } },
      'file x.yaml: unknown option "training.sed"',
      'did you mean training.seed?',
    ],
    [{ file: { name: 'x.yaml', values: [1] } }, 'config file x.yaml', 'topics with options'],
    [{ file: { name: 'x.yaml', values: { training: 3 } } }, 'training is a topic', 'options are'],
    [{ flags: { 'training.sede': 1 } }, '--sede: unknown option', 'did you mean training.seed?'],
  ])('refuses %j', (input, message, help) => {
    const error = problem(input);
    expect(error.message).toContain(message);
    expect(error.help).toContain(help);
  });

  it.each([
    ['training.lr=0', 'training.lr = 0 (--set) must be > 0'],
    ['training.lr=2', 'training.lr = 2 (--set) must be <= 1'],
    ['training.epochs=-1', 'training.epochs = -1 (--set) must be >= 0'],
    ['training.epochs=1.5', 'training.epochs = 1.5 (--set) must be a whole number'],
    ['training.lr=fast', 'training.lr = "fast" (--set) must be a number'],
    ['training.shuffle=yes', 'training.shuffle = "yes" (--set) must be true or false'],
    ['model.kind=tiny', 'model.kind = "tiny" (--set) must be one of small, large'],
    ['evaluation.hitsAt=[]', 'evaluation.hitsAt = [] (--set) must be of a length >= 1'],
    ['evaluation.hitsAt=[0]', 'evaluation.hitsAt = [0] (--set) must be > 0'],
    ['evaluation.hitsAt=3', 'evaluation.hitsAt = 3 (--set) must be a list'],
    ['evaluation.step=now', 'evaluation.step = "now" (--set) must be epoch, or a number'],
    ['model.name=null', 'model.name = null (--set) must be a text'],
  ])('says for --set %s what is allowed', (entry, message) => {
    if (entry === 'model.name=null') {
      const values = { model: { name: null } };
      const error = problem({ file: { name: 'f', values } });
      expect(error.message).toContain('model.name = null (file f) must be a text');
      return;
    }
    expect(problem({ set: [entry] }).message).toContain(`demo: ${message}.`);
  });

  it('names every wrong value at once', () => {
    const error = problem({ set: ['training.lr=0', 'model.size=0'] });
    expect(error.message).toContain('training.lr = 0');
    expect(error.message).toContain('model.size = 0');
    expect(error.details.problems).toHaveLength(2);
  });

  it('handles options without a default, maps, steps and rules on the whole', () => {
    const wide = z
      .strictObject({
        needed: z.number().describe('has no default'),
        weights: z.record(z.string(), z.number()).default({}).describe('by modality'),
        size: z.int().multipleOf(8).default(8).describe('width').optional(),
        pair: z.strictObject({ a: z.number() }).nullable().default(null).describe('two numbers'),
      })
      .refine((config) => config.needed < 100, { message: 'too much' });
    const plain: ConfigDefinition<z.infer<typeof wide>> = {
      name: 'demo',
      schema: wide,
      modes: ['corrected'],
      defaultMode: 'corrected',
      modeValues: {},
      presets: {},
    };
    const set = (...entries: string[]) => resolveConfig(plain, { set: entries });
    expect(set('needed=1', 'weights={"image":2}').config.weights).toEqual({ image: 2 });
    const file = { name: 'f', values: { needed: 1, weights: { text: 3 } } };
    expect(resolveConfig(plain, { file }).config.weights).toEqual({ text: 3 });
    expect(() => set()).toThrow('demo: needed is not set; it must be a number.');
    expect(() => set('needed=1', 'size=9')).toThrow('size = 9 (--set) must be a multiple of 8');
    expect(() => set('needed=1', 'pair={"b":1}')).toThrow('pair = {"b":1} (--set)');
    expect(() => set('needed=100')).toThrow('the config is refused: too much');
    expect(() => set('presets=x')).toThrow('unknown option "presets"');
    expect(() => resolveConfig(plain, { preset: 'x' })).toThrow('unknown preset "x"');
    expect(configTable(plain)).toContain('| `needed` | number | none | has no default |');
  });

  it('reports rules between fields', () => {
    const ruled: ConfigDefinition<Config> = {
      ...definition,
      schema: schema.refine((config) => config.training.epochs > 0 || config.model.size > 500, {
        message: 'epochs 0 needs a size above 500',
        path: ['training', 'epochs'],
      }),
    };
    const run = (): unknown => resolveConfig(ruled, { set: ['training.epochs=0'] });
    expect(run).toThrow('training.epochs = 0 (--set) is refused: epochs 0 needs a size above 500');
  });
});

describe('explainConfig', () => {
  it('lists every value with origin and meaning in the order of the schema', () => {
    const rows = explainConfig(definition, resolve({ preset: 'dbp15k' }));
    expect(rows).toHaveLength(10);
    expect(rows[0]).toEqual({
      path: 'model.size',
      value: 200,
      origin: 'preset dbp15k',
      description: 'width of the embedding; features',
    });
  });
});

describe('generated documents', () => {
  it('table lists each option with type, default and meaning', () => {
    const lines = configTable(definition).split('\n');
    expect(lines).toContain('| `training.lr` | number | `0.0005` | learning rate |');
    expect(lines).toContain(
      '| `model.kind` | small \\| large | `"small"` | which model \\| form |',
    );
    expect(lines).toContain(
      '| `evaluation.hitsAt` | list of number | `[1,5]` | ranks that count |',
    );
    expect(lines).toContain('| `training.warmup` | number \\| null | `null` | share of warm-up |');
    expect(lines).toHaveLength(13);
  });

  it('JSON schema names every option and forbids others', () => {
    const json = JSON.parse(JSON.stringify(configJsonSchema(definition))) as {
      title: string;
      additionalProperties: boolean;
      properties: { training: { properties: { lr: Record<string, unknown> } } };
    };
    expect(json.title).toBe('Options of demo');
    expect(json.additionalProperties).toBe(false);
    const { lr } = json.properties.training.properties;
    expect(lr).toMatchObject({ default: 5e-4, maximum: 1, description: 'learning rate' });
  });
});
