// Two graphs of one's own in, a table of pairs out.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeCsv } from '@lab/core/csv';
import { align } from '@lab/ibmea';

const file = (name: string) => fileURLToPath(new URL(`data/${name}`, import.meta.url));

const { pairs, confidence } = await align({
  source: file('films.csv'),
  target: file('katalog.csv'),
  links: file('seeds.csv'),
  sourceAttributes: file('films-attributes.csv'),
  targetAttributes: file('katalog-attributes.csv'),
  matching: 'greedy',
  epochs: 100,
  seed: 1,
});

const out = fileURLToPath(new URL('pairs.csv', import.meta.url));
await writeCsv(
  out,
  ['source', 'target', 'score', 'margin'],
  pairs.map(({ source, target, score, margin }) => [
    source,
    target,
    score.toFixed(3),
    margin.toFixed(3),
  ]),
);

const found = new Map(pairs.map(({ source, target }) => [source, target]));
const truth = readFileSync(file('truth.csv'), 'utf8').trim().split('\n').slice(1);
const right = truth.filter((line) => {
  const [source = '', target] = line.split(',');
  return found.get(source) === target;
});
const share = right.length / truth.length;
console.log(JSON.stringify({ pairs: pairs.length, known: truth.length, share, confidence }));
