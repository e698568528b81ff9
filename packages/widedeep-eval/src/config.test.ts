import { resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { configWith } from './__fixtures__/scripted-network.js';
import { widedeepConfig } from './config.js';
import { checkConfig } from './judge-pairs.js';
import { baselines, presets } from './presets.js';

test('the defaults are those of the paper, as far as it is known', () => {
  const { roles, network, judge, aggregation } = configWith();
  expect([roles.kind, roles.max, roles.min]).toEqual(['unlimited', 8, 2]);
  expect(network).toMatchObject({ layers: 2, connectivity: 'full', bothOrders: true });
  expect(judge).toMatchObject({ temperature: 1, topP: 1, maxTokens: 512, parseAttempts: 3 });
  expect(aggregation).toMatchObject({ primary: 'average', scope: 'all', tau: 0 });
});

test('mode official has the values of the released code', () => {
  const { roles, network, judge, aggregation } = configWith([], { mode: 'official' });
  expect([roles.max, roles.attempts]).toEqual([null, 10]);
  expect(network).toMatchObject({ layers: 2, connectivity: 'window', window: 1 });
  expect(judge).toMatchObject({ parseAttempts: 10, failed: 'zero' });
  expect(aggregation.epsilon).toBe(1e-5);
});

test('an unknown key is refused with the nearest one', () => {
  expect(() => resolveConfig(widedeepConfig, { set: ['network.layer=3'] })).toThrow(
    /network.layer/,
  );
});

test.each(Object.keys(presets))('preset %s resolves in both modes and goes together', (preset) => {
  for (const mode of ['corrected', 'official']) checkConfig(configWith([], { preset, mode }));
});

test('every baseline is a preset', () => {
  expect(baselines.filter((name) => !(name in presets))).toEqual([]);
});

test.each([
  ['roles.kind=library', /names no angle/],
  ['roles.max=1', /below roles.min/],
  ['network.width=3', /the angles decide the width/],
])('%s is refused', (set, message) => {
  expect(() => checkConfig(configWith([set]))).toThrow(message);
});
