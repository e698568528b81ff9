import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, throwDefect } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { eachStatement } from '@lab/graph';
import { describe, expect, it } from 'vitest';
import { writePairs } from './export.js';

const entityNames = ['http://a.org/Paris', 'Lyon, "the" city', 'http://b.org/Paris', 'b Ü<>\n'];
const evidence = { score: 0.61234, margin: 0.25, backwardMargin: 0.1, mutual: true };
const pairs = [
  { source: 0, target: 2, confidence: 0.98765, ...evidence },
  { source: 1, target: 3, confidence: null, ...evidence, mutual: false },
];

async function written(name: string): Promise<string> {
  const path = join(temporaryFolder(), name);
  await writePairs(path, pairs, { entityNames });
  return readFileSync(path, 'utf8');
}

describe('writePairs', () => {
  it('writes CSV with headings in words and quotes where needed', async () => {
    const text = await written('pairs.csv');
    expect(text.split(/\r?\n/).slice(0, 3)).toEqual([
      'source,target,confidence,score,margin,mutual',
      'http://a.org/Paris,http://b.org/Paris,0.9877,0.6123,0.2500,yes',
      '"Lyon, ""the"" city","b Ü<>',
    ]);
    expect(text).toContain('",,0.6123,0.2500,no');
  });

  it('writes no zero with a sign, also where a small negative number is rounded', async () => {
    const path = join(temporaryFolder(), 'pairs.csv');
    const pair = { ...pairs[0]!, score: -0.00004, margin: -0 };
    await writePairs(path, [pair, { ...pair, score: -0.00006 }], { entityNames });
    const [, first, second] = readFileSync(path, 'utf8').split(/\r?\n/);
    expect(first).toMatch(/,0\.9877,0\.0000,0\.0000,yes$/);
    expect(second).toMatch(/,0\.9877,-0\.0001,0\.0000,yes$/);
  });

  it('writes TSV', async () => {
    const [heading, first] = (await written('pairs.TSV')).split(/\r?\n/);
    expect(heading).toBe('source\ttarget\tconfidence\tscore\tmargin\tmutual');
    expect(first?.split('\t')).toHaveLength(6);
  });

  it('writes N-Triples of owl:sameAs that a reader accepts, whatever the names are', async () => {
    const path = join(temporaryFolder(), 'pairs.nt');
    await writePairs(path, pairs, { entityNames });
    const text = readFileSync(path, 'utf8');
    const sameAs = '<http://www.w3.org/2002/07/owl#sameAs>';
    expect(text.split('\n')[0]).toBe(`<http://a.org/Paris> ${sameAs} <http://b.org/Paris> .`);
    const subjects: string[] = [];
    await eachStatement(path, throwDefect, ({ subject }) => subjects.push(subject));
    expect(subjects).toEqual(['http://a.org/Paris', 'urn:lab:Lyon%2C%20%22the%22%20city']);
  });

  it('escapes what an IRI may not hold', async () => {
    const path = join(temporaryFolder(), 'pairs.nt');
    const names = ['http://a.org/x y>{z}', 'http://a.org/\u0001'];
    await writePairs(path, [{ ...pairs[0]!, source: 0, target: 1 }], { entityNames: names });
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('<http://a.org/x\\u0020y\\u003E\\u007Bz\\u007D>');
    expect(text).toContain('<http://a.org/\\u0001>');
  });

  it('writes JSON lines with the evidence, numbers as numbers', async () => {
    const rows = (await written('pairs.jsonl')).trim().split('\n');
    expect(JSON.parse(rows[0]!)).toEqual({
      source: 'http://a.org/Paris',
      target: 'http://b.org/Paris',
      confidence: 0.98765,
      ...evidence,
    });
    expect(JSON.parse(rows[1]!)).toMatchObject({ confidence: null, mutual: false });
  });

  it('writes an empty list: a heading, or nothing', async () => {
    const folder = temporaryFolder();
    for (const name of ['none.csv', 'none.nt', 'none.jsonl']) {
      await writePairs(join(folder, name), [], { entityNames });
    }
    expect(readFileSync(join(folder, 'none.csv'), 'utf8')).toMatch(/^source,target/);
    expect(readFileSync(join(folder, 'none.nt'), 'utf8')).toBe('');
  });

  it('refuses other endings and leaves no file', async () => {
    const folder = temporaryFolder();
    const attempt = writePairs(join(folder, 'pairs.xlsx'), pairs, { entityNames });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toMatchObject({ help: expect.stringContaining('.csv') });
    await expect(writePairs(join(folder, 'pairs'), pairs, { entityNames })).rejects.toThrow(
      /format/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says so when the folder is not there', async () => {
    const path = join(temporaryFolder(), 'no/such/pairs.csv');
    await expect(writePairs(path, pairs, { entityNames })).rejects.toThrow(DataError);
  });
});
