import { expect, test } from 'vitest';
import { wordHeatmap } from './word-heatmap.js';

const spec = {
  title: 'What a lens says',
  rows: [
    {
      name: 'state 0',
      words: [
        { text: 'sorry', value: 0.9, kind: 'negative' },
        { text: 'a word that is far too long for any cell of this figure', value: 0.1 },
      ],
    },
    { name: 'state 1', words: [{ text: '<sure>', value: 0.5, kind: 'positive' }] },
  ],
  rowLabel: 'state',
  columnLabel: 'rank',
  value: { label: 'share of prompts', format: 'share' },
  signs: { negative: '−' },
} as const;

test('words stand in their cells, framed by kind, with signs and a legend', () => {
  const { svg, narrowSvg, csv, description } = wordHeatmap(spec);
  expect(svg).toContain('>sorry −<');
  expect(svg).toContain('>negative −<');
  expect(svg).toContain('>positive<');
  expect(svg).toContain('&lt;sure&gt;');
  expect(svg).toMatch(/>a word[^<]*…</);
  expect(narrowSvg).toContain('viewBox="0 0 352');
  const many = Array.from({ length: 9 }, (_, at) => ({ text: `w${at}`, value: at }));
  const narrow = wordHeatmap({ ...spec, rows: [{ name: 'a', words: many }] });
  expect(narrow.narrowSvg).toContain('rank, first 4');
  expect(narrow.narrowSvg).not.toContain('>w4<');
  expect(narrow.csv).toContain('a,9,w8,,8');
  expect(csv.split('\r\n').slice(0, 3)).toEqual([
    'state,rank,word,kind,share of prompts',
    'state 0,1,sorry,negative,0.9',
    'state 0,2,a word that is far too long for any cell of this figure,,0.1',
  ]);
  expect(description).toContain('state 0: sorry (.900)');
});

test('rows must have names of their own', () => {
  const rows = [spec.rows[0], spec.rows[0]];
  expect(() => wordHeatmap({ ...spec, rows })).toThrow('share a name');
});
