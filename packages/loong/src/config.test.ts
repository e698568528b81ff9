import { resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { loongConfig } from './config.js';

test('the defaults resolve, modes and presets change what they say, and typos are refused', () => {
  const { config, preset } = resolveConfig(loongConfig, {});
  expect(preset).toBe('window-128k');
  expect(config).toMatchObject({
    seed: 1_000_000_007,
    window: { maxLength: 128_000, reserveOutput: 4096, slack: 0.02 },
    assembly: { verdictFix: true },
    judge: { parse: 'anchored', attempts: 3 },
  });
  const official = resolveConfig(loongConfig, { mode: 'official', preset: 'window-200k' }).config;
  expect(official).toMatchObject({
    window: { maxLength: 200_000, reserveOutput: 0, slack: 0 },
    assembly: { verdictFix: false },
    judge: { parse: 'first', attempts: 1, judgeEmpty: true },
  });
  expect(() => resolveConfig(loongConfig, { set: ['window.maxLenght=2'] })).toThrow(
    /unknown option "window.maxLenght"/,
  );
});
