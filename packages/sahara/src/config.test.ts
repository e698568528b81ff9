import { resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { configuredAblation, saharaConfig } from './config.js';

test('the defaults resolve, and an unknown key is refused', () => {
  expect(resolveConfig(saharaConfig, {}).config.seed).toBe(1);
  expect(() => resolveConfig(saharaConfig, { set: ['sed=2'] })).toThrow(/"sed"/);
});

test('presets and modes name ablations', () => {
  const ablationOf = (input: { preset?: string; mode?: string }) =>
    configuredAblation(resolveConfig(saharaConfig, input).config);
  expect(ablationOf({})).toMatchObject({ kind: 'uniform', site: undefined });
  expect(ablationOf({ mode: 'official' })).toMatchObject({ kind: 'scale', site: 'q', eps: 1e-5 });
  expect(ablationOf({ preset: 'scaling' })).toMatchObject({ kind: 'scale', site: 'z' });
  const official = { preset: 'undifferentiated', mode: 'official' };
  expect(ablationOf(official)).toMatchObject({ kind: 'scale', site: 'q' });
});
