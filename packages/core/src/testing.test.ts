import { existsSync, readdirSync, statSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  changeError,
  cpuMilliseconds,
  relativeError,
  requireCondition,
  requireProgram,
  runProcess,
  startListening,
  temporaryFolder,
  toBeClose,
} from './testing.js';

describe('toBeClose', () => {
  it('accepts what is within atol + rtol * |expected|', () => {
    expect(1.05).toBeClose(1, { atol: 0.1 });
    expect([100, -200]).toBeClose([101, -202], { rtol: 0.01 });
    expect(Float32Array.of(1, 2)).toBeClose([1, 2]);
    expect([
      [1, 2],
      [3, 4],
    ]).toBeClose([Float64Array.of(1, 2), [3, 4]]);
    expect([Number.NaN, Number.POSITIVE_INFINITY]).toBeClose([
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]);
    expect([]).toBeClose([]);
    expect(BigInt64Array.of(1n, 2n)).toBeClose(Int32Array.of(1, 2));
    expect(1.05).not.toBeClose(1, { atol: 0.01 });
  });

  it('prints the largest error, its index and the number of misses', () => {
    const result = toBeClose(
      [
        [1, 2, 3],
        [4, 5.5, 6.1],
      ],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { atol: 0.05 },
    );
    expect(result.pass).toBe(false);
    expect(result.message()).toBe(
      'max error 0.5 at [1, 1]: got 5.5, expected 5; 2 of 6 values out of tolerance ' +
        '(atol 0.05, rtol 0)',
    );
    expect(toBeClose([1], [1]).message()).toContain('all values are close');
  });

  it('refuses other shapes, NaN and what is no number', () => {
    expect(toBeClose([1, 2], [1, 2, 3]).message()).toBe('shape is [2], expected [3]');
    expect(toBeClose([Number.NaN], [1], { atol: 10 }).pass).toBe(false);
    expect(toBeClose([1], [Number.NaN], { atol: 10 }).message()).toContain('max error Infinity');
    expect(() => toBeClose('1', 1)).toThrow(TypeError);
    expect(() => toBeClose([[1], [1, 2]], 1)).toThrow('equal lengths');
  });
});

describe('errors against a golden file', () => {
  it('are relative to the largest expected value, and to the expected change', () => {
    expect(relativeError([1, -3.5], [1, -4])).toBeCloseTo(0.125, 12);
    expect(changeError([2, 5], [2, 4], [2, 0])).toBeCloseTo(0.25, 12);
  });

  it('are 1 for a change that never came', () => {
    expect(changeError([1, 1], [4, 5], [1, 1])).toBeCloseTo(1, 12);
  });

  it('hide neither another length nor NaN', () => {
    expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(changeError([1], [1, 2], [0, 0])).toBe(Number.POSITIVE_INFINITY);
    expect(relativeError([Number.NaN, 1], [1, 1])).toBeNaN();
    expect(changeError([Number.NaN, 1], [1, 1], [0, 0])).toBeNaN();
  });
});

describe('cpuMilliseconds', () => {
  it('counts work, and no waiting', async () => {
    // The least of three: the process may also have compiled or collected meanwhile.
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      waits.push(await cpuMilliseconds(() => new Promise((done) => setTimeout(done, 300))));
    }
    const working = await cpuMilliseconds(() => {
      const start = process.cpuUsage();
      let { user } = process.cpuUsage(start);
      while (user < 200_000) ({ user } = process.cpuUsage(start));
    });
    expect(working).toBeGreaterThanOrEqual(200);
    expect(Math.min(...waits)).toBeLessThan(working / 2);
  });
});

describe('temporaryFolder', () => {
  it('makes a new empty folder each time', () => {
    const [a, b] = [temporaryFolder(), temporaryFolder()];
    expect(a).not.toBe(b);
    expect(statSync(a).isDirectory()).toBe(true);
    expect(readdirSync(a)).toEqual([]);
  });

  it('removes it when the process ends', async () => {
    const source = new URL('./testing/temporary-folder.ts', import.meta.url);
    const code = `
      import { temporaryFolder } from '${source}';
      console.log(temporaryFolder());`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const cwd = new URL('..', import.meta.url).pathname;
    const { stdout, code: exitCode } = await runProcess(process.execPath, args, { cwd });
    expect(exitCode).toBe(0);
    expect(stdout.trim()).toContain('lab-test-');
    expect(existsSync(stdout.trim())).toBe(false);
  });
});

describe('requireProgram', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('looks on the PATH', () => {
    vi.stubEnv('LAB_REQUIRE', '');
    expect(requireProgram('node')).toBe(true);
    expect(requireProgram('no-such-program')).toBe(false);
    vi.stubEnv('PATH', '');
    expect(requireProgram('node')).toBe(false);
  });

  it('throws when LAB_REQUIRE names the absent program, also without its suffix', () => {
    for (const list of ['no-such-program', 'redis, no-such', 'no']) {
      vi.stubEnv('LAB_REQUIRE', list);
      expect(() => requireProgram('no-such-program')).toThrow('no-such-program is not there');
    }
    vi.stubEnv('LAB_REQUIRE', 'such,program');
    expect(requireProgram('no-such-program')).toBe(false);
    expect(requireCondition('such', true)).toBe(true);
  });
});

describe('runProcess', () => {
  const node = process.execPath;

  it('gives code and output', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error(process.env.X); ';
    const options = { input: 'hello', env: { X: '1' } };
    const result = await runProcess(node, ['-e', `${script} process.exitCode = 3`], options);
    expect(result).toEqual({ code: 3, stdout: 'hello', stderr: '1\n' });
  });

  it('sends signals when their text appears', async () => {
    const script = 'setInterval(() => 0, 1000); console.log("ready")';
    const send = [{ after: 'ready', signal: 'SIGTERM' as const }];
    expect(await runProcess(node, ['-e', script], { send })).toMatchObject({ code: 143 });
  });

  it('kills when aborted and reports a missing program', async () => {
    const signal = AbortSignal.timeout(100);
    const result = await runProcess(node, ['-e', 'setInterval(() => 0, 1000)'], { signal });
    expect(result.code).toBe(137);
    await expect(runProcess('no-such-program', [])).rejects.toThrow('ENOENT');
  });
});

describe('startListening', () => {
  it('gives the first line of a process, and ends it', async () => {
    const code = `console.log('http://here'); console.log('more'); setInterval(() => {}, 1000)`;
    const server = await startListening(process.execPath, ['-e', code]);
    expect(server.address).toBe('http://here');
    expect(await server.close()).toBeNull();
    const kind = `process.on('SIGTERM', () => process.exit(7)); ${code}`;
    const other = await startListening(process.execPath, ['-e', kind]);
    expect(await other.close()).toBe(7);
  });

  it('throws what a process says that does not start', async () => {
    const code = `console.error('no port is free'); process.exit(4)`;
    await expect(startListening(process.execPath, ['-e', code])).rejects.toThrow(
      /ended with 4: no port is free/,
    );
  });
});
