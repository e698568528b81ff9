import { describe, expect, it } from 'vitest';
import { differingSettings, folderNames } from './compared-runs.js';

describe('folderNames', () => {
  it('are last parts, and whole paths where these are the same', () => {
    expect(folderNames(['runs/a', 'runs/b/'])).toEqual(['a', 'b']);
    expect(folderNames(['x/run', 'y/run', 'z'])).toEqual(['x/run', 'y/run', 'z']);
  });
});

describe('differingSettings', () => {
  it('have a row for each run, and none where all are alike', () => {
    const runs = [
      { name: 'a', settings: { window: { size: 1, unit: 'K' }, seed: 1, models: ['x'] } },
      { name: 'b', settings: { window: { size: 2, unit: 'K' }, seed: 1, models: ['x', 'y'] } },
      { name: 'c', settings: undefined },
    ];
    expect(differingSettings(runs.slice(0, 2))).toEqual([
      { path: 'models', value: '["x"]', origin: 'a' },
      { path: 'models', value: '["x","y"]', origin: 'b' },
      { path: 'window.size', value: '1', origin: 'a' },
      { path: 'window.size', value: '2', origin: 'b' },
    ]);
    expect(differingSettings(runs).filter(({ origin }) => origin === 'c')).toEqual(
      ['models', 'seed', 'window.size', 'window.unit'].map((path) => ({
        ...{ path, value: 'not set', origin: 'c' },
      })),
    );
  });
});
