import { expect, it } from 'vitest';
import { ConfigFields } from './config-fields.js';
import { readContextTokens } from './context-tokens.js';
import type { PositionRules, RotaryScaling } from './architecture.js';

const scaled = (...scalings: readonly RotaryScaling[]) =>
  scalings.map((scaling) => ({
    ...{ window: null, scoreScale: 1 },
    rotary: { base: 10_000, width: 8, scaling },
  }));
const plain: RotaryScaling = { kind: 'default' };
const linear: RotaryScaling = { kind: 'linear', factor: 8 };
const yarn: RotaryScaling = {
  ...{ kind: 'yarn', factor: 4, betaFast: 32, betaSlow: 1, isTruncated: true },
  ...{ originalPositions: 32_768, attentionFactor: 1 },
};
const llama3: RotaryScaling = {
  ...{ kind: 'llama3', factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4 },
  originalPositions: 8192,
};
const dynamic: RotaryScaling = { kind: 'dynamic', factor: 2, maxPositions: 4096 };

it.each<[string, number | null, readonly RotaryScaling[], number | null]>([
  ['llama', 4096, [plain], 4096],
  ['llama', 131_072, [llama3], 131_072],
  ['llama', 4096, [linear], 32_768],
  ['gemma3_text', 131_072, [plain, linear], 131_072],
  ['qwen2', 32_768, [yarn], 131_072],
  ['llama', 4096, [dynamic], null],
  ['llama', null, [plain], null],
])('%s with %s positions and %j was made for %s tokens', (modelType, given, scalings, wanted) => {
  const fields = new ConfigFields({ max_position_embeddings: given }, 'config.json');
  const rules = { modelType, positions: { kind: 'rotary' } as const, blocks: scaled(...scalings) };
  expect(readContextTokens(fields, rules)).toBe(wanted);
});

it('learned positions are as many as there are', () => {
  const fields = new ConfigFields({}, 'config.json');
  const positions: PositionRules = { kind: 'learned', count: 1024 };
  expect(readContextTokens(fields, { modelType: 'gpt2', positions, blocks: [] })).toBe(1024);
});
