// Two graphs of one's own in, a table of pairs out.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { align } from '@lab/ibmea';

const file = (name: string) => fileURLToPath(new URL(`data/${name}`, import.meta.url));

const { pairs } = await align({
  source: file('films.csv'),
  target: file('katalog.csv'),
  links: file('seeds.csv'),
  sourceAttributes: file('films-attributes.csv'),
  targetAttributes: file('katalog-attributes.csv'),
  matching: 'greedy',
  settings: { 'data.validationShare': 0 },
  epochs: 100,
  seed: 1,
});
const rows = pairs.map(({ source, target, margin }) => `${source},${target},${margin.toFixed(3)}`);
writeFileSync('pairs.csv', ['source,target,margin', ...rows, ''].join('\n'));

// The truth is known here, so that this example can say how many pairs are right.
const found = new Map(pairs.map(({ source, target }) => [source, target]));
const truth = readFileSync(file('truth.csv'), 'utf8').trim().split('\n').slice(1);
const right = truth.filter((line) => {
  const [source, target] = line.split(',');
  return source !== undefined && found.get(source) === target;
});
console.log(JSON.stringify({ pairs: pairs.length, known: truth.length, right: right.length }));
