import { join, resolve } from 'node:path';
import { createRun } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { passedFlags, withEarlierFlags } from './score-input.js';

/** A run that was begun with these flags. */
function begun(options: Readonly<Record<string, unknown>>): string {
  const passed = passedFlags({ arguments: [], options });
  const run = createRun({
    ...{ dir: join(temporaryFolder(), 'run'), parent: 'runs', method: 'sahara', label: 'ablate' },
    ...{ command: [], config: {}, passed, seed: 1, data: [], packages: {}, git: null },
  });
  run.finish({ status: 'success', results: {} });
  return run.dir;
}

const resumed = (options: Readonly<Record<string, unknown>>) =>
  withEarlierFlags({ arguments: [], options }, 'ablate').options;

describe('flags of a run', () => {
  it('are kept with whole paths, also behind @, and without those of one call', () => {
    const options = {
      ...{
        model: 'example:organism',
        prompts: 'mine.csv',
        format: '@form.txt',
        system: 'Be kind.',
      },
      ...{ out: 'runs/a', dryRun: false, json: true, limit: undefined, backend: 'wasm' },
    };
    expect(passedFlags({ arguments: [], options })).toEqual({
      ...{ model: 'example:organism', prompts: resolve('mine.csv'), system: 'Be kind.' },
      ...{ format: `@${resolve('form.txt')}`, backend: 'wasm' },
    });
    expect(passedFlags({ arguments: [], options: { model: 'mine' } })).toEqual({
      model: resolve('mine'),
    });
  });

  it('that goes on are those it was begun with, and what is given anew', () => {
    const resume = begun({ ...{ backend: 'wasm', threads: 2, residency: 'host', random: 3 } });
    const auto = { resume, backend: 'auto', residency: 'auto' };
    expect(resumed(auto)).toMatchObject({ backend: 'wasm', threads: 2, residency: 'host' });
    expect(resumed({ ...auto, backend: 'cpu', random: 5 })).toMatchObject({
      ...{ backend: 'cpu', random: 5, residency: 'host' },
    });
  });

  it('that goes on say who judges only as before', () => {
    const resume = begun({ threshold: 3, phrases: 'mine.txt' });
    expect(resumed({ resume, threshold: 3, phrases: resolve('mine.txt') })).toBeDefined();
    expect(() => resumed({ resume, threshold: 4 })).toThrow(/--threshold is 4; .* with 3/);
    expect(() => resumed({ resume, judgeModel: 'other' })).toThrow(
      /--judge-model is other; .* it\./,
    );
    expect(() => withEarlierFlags({ arguments: [], options: { resume } }, 'ships')).toThrow(
      /is a run of sahara ablate/,
    );
  });
});
