import { expect, test } from 'vitest';
import { deviationList, deviationsOf, replaceBetween } from '../generated-text.mjs';

const source = `
/**
 * KL divergence.
 *
 * Source: a/b, f; equation not verified.
 * Deviation: the reference sums over features,
 * we average.
 *
 * @returns scalar.
 */
export function klDivergence() {}

/** Deviation: none in the formula. */
export const a = 1;

function inner() {
  // Deviation: ties get the mean rank.
  return 1;
}
`;

test('finds deviations over several lines, with the export they belong to', () => {
  expect(deviationsOf(source)).toEqual([
    { symbol: 'klDivergence', text: 'the reference sums over features, we average.' },
    { symbol: null, text: 'ties get the mean rank.' },
  ]);
});

test('lists deviations by file and says when there are none', () => {
  const deviations = deviationsOf(source);
  expect(deviationList([{ file: 'src/kl.ts', deviations }]).split('\n')).toEqual([
    '- `src/kl.ts`, `klDivergence`: the reference sums over features, we average.',
    '- `src/kl.ts`: ties get the mean rank.',
  ]);
  expect(deviationList([])).toBe('None marked in the source.');
});

test('replaces what stands between the marks only, and again to the same text', () => {
  const readme = '# x\n<!-- options: generated -->\nold\n<!-- /options -->\nend\n';
  const once = replaceBetween(readme, 'options', '| a |\n');
  expect(once).toBe('# x\n<!-- options: generated -->\n\n| a |\n\n<!-- /options -->\nend\n');
  expect(replaceBetween(once, 'options', '| a |')).toBe(once);
  expect(replaceBetween('# x\n', 'options', 'a')).toBeNull();
});
