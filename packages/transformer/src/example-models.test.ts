import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleModel, exampleModelNames } from './example-models.js';

describe('exampleModel', () => {
  it.each(exampleModelNames)('is the folder of %s', (name) => {
    const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'prompts.csv'];
    const folder = exampleModel(name);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  it('names the nearest model', () => {
    expect(() => exampleModel('organsim')).toThrow(/no example "organsim"/);
  });
});
