import { resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { weakProbeConfig } from './config.js';

test('the defaults resolve, and an unknown key is refused', () => {
  expect(resolveConfig(weakProbeConfig, {}).config.seed).toBe(42);
  expect(() => resolveConfig(weakProbeConfig, { set: ['sed=2'] })).toThrow('unknown option "sed"');
});
