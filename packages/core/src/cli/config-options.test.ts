import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ConfigDefinition } from '../config.js';
import { ConfigError } from '../errors.js';
import { temporaryFolder } from '../testing.js';
import { configOptions, explainTable, readConfigFile, readConfigInput } from './config-options.js';

const schema = z.strictObject({
  training: z
    .strictObject({
      epochs: z.int().default(3).describe('epochs'),
      seed: z.int().default(0).describe('seed'),
    })
    .prefault({}),
});

const definition: ConfigDefinition<z.infer<typeof schema>> = {
  name: 'demo',
  schema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues: {},
  presets: { own: { description: 'own', values: { training: { epochs: 9 } } } },
  defaultPreset: 'own',
};

let path = '';
beforeEach(() => {
  path = join(temporaryFolder(), 'config.yaml');
});

describe('configOptions', () => {
  it('offers preset, mode, config file, set and seed', () => {
    const options = configOptions(definition);
    expect(options.map((option) => option.flags)).toEqual([
      '--preset <name>',
      '--mode <name>',
      '--config <file>',
      '--set <path=value>',
      '--seed <n>',
    ]);
    const bare = { ...definition, schema: z.strictObject({ x: z.int().default(1) }) };
    const fewer = { ...bare, presets: {}, modeValues: {}, modes: ['corrected'] };
    expect(configOptions(fewer).map((option) => option.flags)).toEqual([
      '--config <file>',
      '--set <path=value>',
    ]);
  });
});

describe('readConfigInput', () => {
  it('joins the flags, file and named values', async () => {
    writeFileSync(path, '# mine\nmode: official\ntraining: { epochs: 5 }\n');
    const options = { config: path, seed: 7, set: [], preset: undefined };
    const resolved = await readConfigInput(definition, options);
    expect(resolved).toMatchObject({
      config: { training: { epochs: 5, seed: 7 } },
      mode: 'official',
      preset: 'own',
      origins: { 'training.epochs': `file ${path}`, 'training.seed': '--seed' },
    });
    const flags = { 'training.epochs': 1 };
    const named = await readConfigInput(definition, { set: ['training.epochs=2'] }, flags);
    expect(named.config.training.epochs).toBe(1);
    expect(explainTable(definition, named)).toContain('training.epochs  1      --epochs  epochs');
  });

  it('gives the defaults without any flag', async () => {
    expect((await readConfigInput(definition, {})).config.training).toEqual({ epochs: 9, seed: 0 });
  });
});

describe('readConfigFile', () => {
  it('reads JSON and YAML, also with a byte-order mark', () => {
    writeFileSync(path, '\ufeff{"training": {"epochs": 1e2}}');
    expect(readConfigFile(path)).toEqual({ training: { epochs: 100 } });
    writeFileSync(path, '');
    expect(readConfigFile(path)).toBeNull();
  });

  it.each([
    ['training:\n  epochs: [1,\n', 'line'],
    ['a: 1\na: 2\n', 'line 2'],
  ])('names the place of a mistake in %j', (content, place) => {
    writeFileSync(path, content);
    expect(() => readConfigFile(path)).toThrow(ConfigError);
    expect(() => readConfigFile(path)).toThrow(place);
  });

  it('reports a missing file', async () => {
    expect(() => readConfigFile(path)).toThrow('no such file');
    await expect(readConfigInput(definition, { config: path })).rejects.toThrow(ConfigError);
  });
});
