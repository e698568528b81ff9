import { expect, it } from 'vitest';
import { attentionPatterns } from '../figures.js';

it('draws only what a token may see, one panel for each pattern', () => {
  const uniform = [0, 1, 2].map((t) => [0, 1, 2].map((s) => (s <= t ? 1 / (t + 1) : 0)));
  const { figure } = attentionPatterns(
    [
      { name: 'intact', pattern: [[1], [0.1, 0.9], [0, 0, 1]] },
      { name: 'uniform', pattern: uniform },
    ],
    { head: '2-26' },
  );
  expect(figure.title).toBe('Where head 2-26 looks');
  expect(figure.csv.trim().split('\r\n')).toHaveLength(13);
  expect(figure.description).toContain('uniform: highest 1 at query 0, key 0.');
});
