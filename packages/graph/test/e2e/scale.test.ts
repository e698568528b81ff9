import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, throwDefect } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { neighbourGraph, relationFeatures, syntheticPair } from '../../src/index.js';
import { createIdLookup } from '../../src/records.js';
import { createTripleTable, densifyTriples, readTriples } from '../../src/triple-table.js';

/** CPU seconds since `start`: a busy machine does not make the test fail. */
function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

describe('a million triples', () => {
  it('are read and made distinct in seconds', async () => {
    const count = 1_000_000;
    const file = join(temporaryFolder(), 'triples_1');
    const lines = Array.from({ length: count }, (_, i) => {
      const head = Math.imul(i, 7919) & 0xffff;
      return `${head}\t${i % 300}\t${(head + i) & 0xffff}\n`;
    });
    writeFileSync(file, lines.join(''));
    const ids = Int32Array.from({ length: 1 << 16 }, (_, i) => i);
    const entities = { ids, names: [], leftCount: ids.length, indexOfId: createIdLookup(ids) };
    const table = createTripleTable();
    const start = process.cpuUsage();
    await readTriples({ path: file, side: 1 }, table, { entities, onDefect: throwDefect });
    const dense = densifyTriples(table, [], 'drop');
    const seconds = cpuSeconds(start);
    expect(table.heads.length).toBe(count);
    expect(dense.relationIds).toHaveLength(300);
    expect(seconds).toBeLessThan(6); // about 1.5 measured
  });
});

describe('a synthetic pair of 300,000 entities per side', () => {
  it('is made and indexed in seconds', () => {
    const start = process.cpuUsage();
    const data = syntheticPair({ entities: 300_000, random: createRandom(1) });
    const graph = neighbourGraph(data, { selfLoops: true });
    const relations = relationFeatures(data);
    const seconds = cpuSeconds(start);
    expect(data.entityCount).toBe(600_000);
    expect(graph.rowCount).toBe(600_000);
    expect(relations.columns.length).toBeGreaterThan(600_000);
    expect(seconds).toBeLessThan(15); // about 4 measured
  });
});
