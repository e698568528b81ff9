import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { loadScores, meanScores, saveScores, type ScoreFile, tokensHash } from './score-file.js';

const file: ScoreFile = {
  ...{ schemaVersion: 1, kind: 'ships', format: 'template', numerics: 'stable', unit: 'nats' },
  model: { path: 'm', fingerprint: 'f', layerCount: 1, headCount: 2 },
  tokenizer: { fingerprint: 't' },
  data: { sha256: 'd', promptCount: 1 },
  ablation: { kind: 'uniform', site: 'pattern', eps: 1e-5, granularity: 'query-head' },
  scores: [[0.5, null]],
  ties: [],
  prompts: [{ id: '1', top: [{ layer: 0, head: 0, score: 0.5 }] }],
};

test('a file of scores is read as it was written', () => {
  const path = join(temporaryFolder(), 'scores.json');
  saveScores(path, file);
  expect(loadScores(path)).toEqual(file);
});

test.each<[string, (value: Record<string, unknown>) => void, RegExp]>([
  ['another version', (value) => (value['schemaVersion'] = 2), /schemaVersion: 2/],
  ['a field too many', (value) => (value['more'] = 1), /more/],
  ['a unit of its own', (value) => (value['unit'] = 'bits'), /unit/],
  ['scores of another shape', (value) => (value['scores'] = [[1]]), /1 x 1, the model has 1 x 2/],
])('%s is refused', (_, change, message) => {
  const path = join(temporaryFolder(), 'scores.json');
  saveScores(path, file);
  const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(value);
  writeFileSync(path, JSON.stringify(value));
  expect(() => loadScores(path)).toThrow(message);
});

test('what is no JSON, or not there, is refused by its path', () => {
  const path = join(temporaryFolder(), 'scores.json');
  expect(() => loadScores(path)).toThrow(/scores\.json/);
  writeFileSync(path, '{');
  expect(() => loadScores(path)).toThrow(/cannot be read as JSON/);
});

test('means are over all prompts, one without a score counting as 0', () => {
  const [one, two] = [{ scores: [[1, null, null]] }, { scores: [[3, 4, null]] }];
  expect(meanScores([one, two])).toEqual([[2, 2, null]]);
  expect(meanScores([])).toEqual([]);
  expect(tokensHash([1, 2])).not.toBe(tokensHash([2, 1]));
});
