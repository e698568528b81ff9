import type { DeepPartial, Preset } from '@lab/core';
import type { LoongConfig } from './config.js';

/** What each mode changes against the defaults. */
export const modeValues: Record<string, DeepPartial<LoongConfig>> = {
  corrected: {},
  official: {
    window: { reserveOutput: 0, slack: 0, maxShrinks: 0 },
    assembly: { verdictFix: false },
    judge: { parse: 'first', attempts: 1, judgeEmpty: true },
  },
};

const window = (maxLength: number): Preset<LoongConfig> => ({
  description: `models with a window of ${maxLength / 1000}K tokens`,
  values: { window: { maxLength } },
});

/** Windows of models. */
export const presets: Record<string, Preset<LoongConfig>> = {
  'window-32k': window(32_000),
  'window-64k': window(64_000),
  'window-128k': window(128_000),
  'window-200k': window(200_000),
  'window-1m': window(1_000_000),
};
