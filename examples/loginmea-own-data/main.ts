// Two graphs of one's own in, pairs out: the catalogues of `ibmea-own-data`, aligned by LoginMEA.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeCsv } from '@lab/core/csv';
import { align } from '@lab/loginmea';

const catalogues = new URL('../ibmea-own-data/data/', import.meta.url);
const file = (name: string) => fileURLToPath(new URL(name, catalogues));

const { pairs } = await align({
  source: file('films.csv'),
  target: file('katalog.csv'),
  links: file('seeds.csv'),
  sourceAttributes: file('films-attributes.csv'),
  targetAttributes: file('katalog-attributes.csv'),
  matching: 'greedy',
  epochs: 60,
  seed: 1,
});

const rows = pairs.map(({ source, target, score, margin, mutual }) => [
  source,
  target,
  score.toFixed(3),
  margin.toFixed(3),
  mutual ? 'yes' : 'no',
]);
const out = fileURLToPath(new URL('pairs.csv', import.meta.url));
await writeCsv(out, ['source', 'target', 'score', 'margin', 'mutual'], rows);

const found = new Map(pairs.map(({ source, target }) => [source, target]));
const truth = readFileSync(file('truth.csv'), 'utf8').trim().split('\n').slice(1);
const right = truth.filter((line) => {
  const [source = '', target] = line.split(',');
  return found.get(source) === target;
});
const share = right.length / truth.length;
console.log(JSON.stringify({ pairs: pairs.length, known: truth.length, share }));
