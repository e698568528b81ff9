import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { align } from './index.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** A ring of entities with chords, as triples of a CSV file. */
function ring(side: string, count: number): string {
  const lines = Array.from({ length: count }, (_, at) => [
    `${side}${at},next,${side}${(at + 1) % count}`,
    `${side}${at},far,${side}${(at * 7 + 3) % count}`,
  ]);
  return `${lines.flat().join('\n')}\n`;
}

/** Two graphs, one of them forty times the other, without attributes and images. */
function unequalGraphs() {
  const dir = temporaryFolder();
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const links = Array.from({ length: 8 }, (_, at) => `a${at},b${at}`).join('\n');
  return {
    source: write('source.csv', ring('a', 400)),
    target: write('target.csv', ring('b', 10)),
    links: write('links.csv', `${links}\n`),
  };
}

describe('two graphs of very different size without attributes', () => {
  it.each(['whole', 'blocks'])('are aligned, layout %s', async (layout) => {
    const settings = {
      ...{ 'training.layout': layout, 'model.size': 16, 'model.rank': 2, 'training.epochs': 3 },
      ...{ 'evaluation.every': 3, 'data.validationShare': 0 },
    };
    const found = await align({ ...unequalGraphs(), settings, matching: 'greedy' });
    expect(found.sources).toBe(392);
    expect(found.pairs.length).toBe(2); // of ten targets eight are seeds
    expect(new Set(found.pairs.map(({ target }) => target))).toEqual(new Set(['b8', 'b9']));
    for (const { score, margin } of found.pairs) {
      expect(Number.isFinite(score) && Number.isFinite(margin)).toBe(true);
    }
  });
});
