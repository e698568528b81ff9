import type { DeepPartial, Preset } from '@lab/core';
import type { Config } from './config.js';

/** What each mode changes against the defaults. */
export const modeValues: Record<string, DeepPartial<Config>> = { corrected: {}, official: {} };

/** Settings by data set. */
export const presets: Record<string, Preset<Config>> = {};
