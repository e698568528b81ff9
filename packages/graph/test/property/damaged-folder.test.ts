import { collectDefects } from '@lab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAlignmentFolder } from '../../src/index.js';
import { smallFiles, smallFolder } from '../../src/__fixtures__/small-folder.js';

const name = fc.constantFrom(...Object.keys(smallFiles));
const position = fc.double({ min: 0, max: 1, noNaN: true });
const insert = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.constantFrom('\t', '\n', '\r', '-', '9', 'x', '\u0000', 'é').map((text) => Buffer.from(text)),
);

describe('a damaged folder', () => {
  it('gives defects and sound data, never another error', async () => {
    const damage = fc.record({ name, position, insert, removed: fc.nat(8) });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (list) => {
        const edits: Record<string, Uint8Array> = {};
        for (const one of list) {
          const before = Buffer.from(edits[one.name] ?? (smallFiles[one.name] as string));
          const at = Math.floor(one.position * before.length);
          const after = before.subarray(at + one.removed);
          edits[one.name] = Buffer.concat([before.subarray(0, at), one.insert, after]);
        }
        const { onDefect, defects } = collectDefects();
        const data = await readAlignmentFolder(smallFolder(edits), { onDefect });
        const isEntity = (index: number): boolean => index >= 0 && index < data.entityCount;
        expect(
          [data.triples.heads, data.triples.tails, data.links].every((all) => all.every(isEntity)),
        ).toBe(true);
        expect(data.triples.relations.every((r) => r < data.relationIds.length)).toBe(true);
        expect(data.entityNames).toHaveLength(data.entityCount);
        for (const { file, message } of defects) expect([typeof file, message]).toContain('string');
      }),
      { numRuns: 80 },
    );
  });
});
