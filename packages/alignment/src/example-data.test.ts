import { describe, expect, it } from 'vitest';
import { readAlignmentFolder } from '@lab/graph';
import { exampleSource, namedExample } from './example-data.js';

describe('exampleSource', () => {
  it('is a folder that reads without a defect, with its seeds', async () => {
    const { dir, seedsFile } = exampleSource('en-fr-3k');
    const data = await readAlignmentFolder(dir, { images: false });
    expect([data.left.length, data.right.length, data.links.length / 2]).toEqual([
      3000, 3000, 3000,
    ]);
    expect(seedsFile.startsWith(dir)).toBe(true);
  });

  it('names the nearest example', () => {
    expect(() => exampleSource('en-fr-3x')).toThrow(/no example "en-fr-3x"/);
  });
});

describe('namedExample', () => {
  it('takes names with a prefix alone; the rest are folders', () => {
    expect(namedExample('example:en-fr-3k')).toEqual(exampleSource('en-fr-3k'));
    expect(namedExample('./example')).toBeNull();
    expect(() => namedExample('example:nothing')).toThrow(/no example/);
  });
});
