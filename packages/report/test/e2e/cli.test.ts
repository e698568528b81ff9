import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programArguments, runProcess, temporaryFolder } from '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import { writeSampleRuns } from './sample-runs.js';

const program = programArguments();
const env = { NO_COLOR: '1' };

const report = (...args: string[]) => runProcess(process.execPath, [...program, ...args], { env });

describe('report serve', () => {
  test('prints its address and ends on Ctrl-C', async () => {
    const dir = temporaryFolder();
    const send = [{ after: 'Ctrl-C ends.', signal: 'SIGINT' as const }];
    const args = [...program, 'serve', dir];
    const { code, stdout } = await runProcess(process.execPath, args, { env, send });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    expect(code).toBe(130);
  });

  test('a folder that is not there exits with 3', async () => {
    const { code, stderr } = await report('serve', '/no/such/folder');
    expect([code, stderr]).toEqual([3, expect.stringContaining('there is no folder')]);
  });
});

describe('report compare', () => {
  const folder = temporaryFolder();
  const runs = writeSampleRuns(join(folder, 'runs'), [1, 2]);
  const out = join(folder, 'page.html');

  test('prints the table and a sentence, writes the page', async () => {
    const { code, stdout, stderr } = await report('compare', ...runs, '--out', out);
    expect(stderr).toContain(`page: ${out}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Settings +H@1, forward +MRR, forward/);
    expect(stdout).toContain('Best in H@1, forward: dimension 300, rate 0.005');
    expect(readFileSync(out, 'utf8')).toContain('6 runs compared');
  });

  test('under --json prints one object', async () => {
    const { stdout } = await report('compare', ...runs, '--out', out, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ page: out, groups: [{}, {}, {}], warnings: [] });
  });

  test('a folder that is no run exits with 3 and writes nothing', async () => {
    const other = join(folder, 'other.html');
    const { code, stderr } = await report('compare', folder, '--out', other);
    expect(code).toBe(3);
    expect(stderr).toContain('has no run.json');
    expect(existsSync(other)).toBe(false);
  });

  test('a wrong flag and no command exit with 2', async () => {
    const wrong = await report('compare', ...runs, '--metric', 'x');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--metrics')]);
    expect((await report()).code).toBe(2);
  });
});
