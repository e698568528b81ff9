import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runProcess, temporaryFolder } from '../../src/testing.js';

const root = new URL('../..', import.meta.url).pathname;
const script = join(root, 'test/e2e/fixture/count-lines.ts');

/** Node and the loader of the test alone need some 100 MB. */
const memoryLimitBytes = 200e6;

describe('a text file of 300 MB (gzip of 300 members)', () => {
  it('is read as a stream', async () => {
    const path = join(temporaryFolder(), 'triples.gz');
    const line = `${'http://dbpedia.org/resource/Entity'.padEnd(99, 'x')}\n`;
    const member = gzipSync(line.repeat(10_000));
    for (let i = 0; i < 300; i += 1) appendFileSync(path, member);
    const args = ['--conditions=@lab/source', '--import', 'tsx', script, path];
    const { code, stdout } = await runProcess(process.execPath, args, { cwd: root });
    expect(code).toBe(0);
    const seen = JSON.parse(stdout) as { count: number; last: string; peakBytes: number };
    expect(seen).toMatchObject({ count: 3_000_000, last: line.trimEnd() });
    expect(seen.peakBytes).toBeLessThan(memoryLimitBytes);
  });
});
