import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type ProcessOptions,
  requireProgram,
  runProcess,
  temporaryFolder,
} from '../../src/testing.js';

const root = new URL('../..', import.meta.url).pathname;
const script = join(root, 'test/e2e/fixture/tiny.ts');
/** Under `npm test` on the build, as users have it. */
const conditions = process.env['LAB_BUILT'] === '1' ? [] : ['--conditions=@lab/source'];
const nodeArgs = [...conditions, '--import', 'tsx', script];
const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

function tiny(args: readonly string[], options: ProcessOptions = {}) {
  const env = { ...plain, ...options.env };
  return runProcess(process.execPath, [...nodeArgs, ...args], { cwd: root, ...options, env });
}

function metricsOf(dir: string): string {
  return readFileSync(join(dir, 'metrics.jsonl'), 'utf8');
}

describe('a command as a process', () => {
  it('prints the result on stdout, lines of progress on stderr, no carriage return', async () => {
    const { code, stdout, stderr } = await tiny(['train', '--out', temporaryFolder()]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'epochs 10\n' });
    const expected = Array.from({ length: 10 }, (_, i) => `epoch ${i + 1}\n`).join('');
    expect(stderr).toBe(expected);
  });

  it('exits 2 with help when nothing is asked, and with the nearest name', async () => {
    const empty = await tiny([]);
    expect(empty).toMatchObject({ code: 2, stdout: '' });
    expect(empty.stderr).toContain('usage: tiny <command>');
    const wrong = await tiny(['train', '--epocs', '3']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('did you mean --epochs?');
  });

  it('prints one JSON object, also for an error', async () => {
    const good = await tiny(['train', '--json', '--quiet', '--out', temporaryFolder()]);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    const result = JSON.parse(good.stdout) as { run: string };
    expect(result).toMatchObject({ status: 'success', metrics: { epoch: 10 } });
    const bad = await tiny(['train', '--json', '--resume', '/no/such/run']);
    expect(bad.code).toBe(3);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      status: 'error',
      error: { code: 'LAB_DATA', help: expect.stringContaining('folder of a run') as unknown },
    });
  });

  it('says that it works before two silent seconds are over', async () => {
    const { stderr, code } = await tiny(['silent']);
    expect({ stderr, code }).toEqual({ stderr: 'tiny silent: working\n', code: 0 });
  });

  it('ends although timers are left, and reports errors thrown outside', async () => {
    expect(await tiny(['leaky'])).toMatchObject({ code: 0, stdout: 'done\n' });
    const crash = await tiny(['crash', '--json']);
    expect(crash.code).toBe(1);
    expect(crash.stderr).toContain('error: internal error: thrown outside');
    expect(JSON.parse(crash.stdout)).toMatchObject({ error: { code: 'LAB_INTERNAL' } });
  });
});

describe('signals', () => {
  const afterThree = { after: 'epoch 3\n', signal: 'SIGINT' as const };

  it('Ctrl-C saves, tells how to resume, exits 130; a resumed run equals a whole one', async () => {
    const out = temporaryFolder();
    const stopped = await tiny(['train', '--json', '--hold', '3', '--out', out], {
      send: [afterThree],
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/saving \.\.\. saved: resume with "tiny train --resume .*"\n$/);
    const { run, status, error } = JSON.parse(stopped.stdout) as Record<string, string>;
    expect({ status, error }).toMatchObject({
      status: 'interrupted',
      error: { code: 'LAB_INTERRUPTED' },
    });
    const dir = String(run);
    expect(metricsOf(dir).split('\n')).toHaveLength(4);
    const resumed = await tiny(['train', '--resume', dir]);
    expect(resumed).toMatchObject({ code: 0, stdout: 'epochs 10\n' });
    const whole = await tiny(['train', '--json', '--quiet', '--out', out]);
    const wholeDir = (JSON.parse(whole.stdout) as { run: string }).run;
    expect(metricsOf(dir)).toBe(metricsOf(wholeDir));
  });

  it('SIGTERM saves and exits 143', async () => {
    const send = [{ ...afterThree, signal: 'SIGTERM' as const }];
    const stopped = await tiny(['train', '--hold', '3', '--out', temporaryFolder()], { send });
    expect(stopped.code).toBe(143);
    expect(stopped.stderr).toContain('saving ... saved: resume with');
  });

  it('a signal right behind the first, as npm sends it, still saves', async () => {
    const send = [afterThree, { ...afterThree, signal: 'SIGTERM' as const }];
    const stopped = await tiny(['train', '--hold', '3', '--out', temporaryFolder()], { send });
    expect([130, 143]).toContain(stopped.code); // the system may deliver either one first
    expect(stopped.stderr).toContain('saving ... saved: resume with');
  });

  it('a second Ctrl-C ends at once and says what is lost', async () => {
    const send = [
      { after: 'working\n', signal: 'SIGINT' as const },
      { after: 'still here\n', signal: 'SIGINT' as const },
    ];
    const stopped = await tiny(['stubborn'], { send });
    expect(stopped).toEqual({
      code: 130,
      stdout: '',
      stderr: 'working\nsaving ... still here\nended at once: everything is lost.\n',
    });
    const json = await tiny(['stubborn', '--json'], { send });
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 'interrupted' });
  });

  it('an aborted wait and a command that just finishes are interrupted as well', async () => {
    const send = [{ after: 'working\n', signal: 'SIGINT' as const }];
    const aborted = await tiny(['abortable'], { send });
    expect(aborted).toMatchObject({ code: 130, stderr: 'working\nsaving ... stopped.\n' });
    const finished = await tiny(['finishing'], { send });
    expect(finished).toMatchObject({ code: 130, stdout: 'half a result\n' });
  });

  it('kill -9 leaves a run that can be resumed to the same metrics', async () => {
    const out = temporaryFolder();
    const send = [{ ...afterThree, signal: 'SIGKILL' as const }];
    const killed = await tiny(['train', '--hold', '3', '--out', out], { send });
    expect(killed).toMatchObject({ code: 137, stdout: '' });
    const [name = ''] = readdirSync(out);
    const dir = join(out, name);
    expect(await tiny(['train', '--resume', dir])).toMatchObject({ code: 0 });
    const epochs = metricsOf(dir)
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { epoch: number }).epoch);
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe.skipIf(!requireProgram('script'))('on a terminal (needs script)', () => {
  it('progress is one line that is rewritten and cleared', async () => {
    const command = [process.execPath, ...nodeArgs, 'train', '--out', temporaryFolder()].join(' ');
    const options = { cwd: root, env: { ...plain, TERM: 'xterm' } };
    const { code, stdout } = await runProcess('script', ['-qec', command, '/dev/null'], options);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(\r\u001b\[Kepoch \d+( {2}\d+ s)?)+\r\u001b\[Kepochs 10\r\n$/);
  });
});

describe('a closed pipe', () => {
  it('is no error', async () => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(process.execPath, [...nodeArgs, 'many'], { cwd: root, env });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `wrote all, run at ${join('runs', '1')}\n`,
    });
  });
});
