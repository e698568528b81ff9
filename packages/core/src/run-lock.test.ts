import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from './errors.js';
import { lockRun } from './run-lock.js';
import { temporaryFolder } from './testing.js';

const now = () => new Date('2026-11-23T17:33:20Z');

let dir = '';
let lock = '';
beforeEach(() => {
  dir = join(temporaryFolder(), 'run');
  mkdirSync(dir);
  lock = join(dir, 'lock');
});

const holder = (more: object) =>
  writeFileSync(
    lock,
    JSON.stringify({
      pid: 1,
      host: hostname(),
      born: null,
      since: '2026-11-01T00:00:00Z',
      ...more,
    }),
  );

/** Another process that takes the folder and stays until its input ends. */
async function otherProcess(): Promise<{ child: ChildProcess; said: string }> {
  const source = `import { lockRun } from ${JSON.stringify(import.meta.resolve('./run-lock.ts'))};
    lockRun(${JSON.stringify(dir)}, () => new Date());
    console.log('holds');
    process.stdin.on('end', () => process.exit(0)).resume();`;
  const flags = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', source];
  const child = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: String(said).trim() };
}

describe('lockRun', () => {
  it('refuses a folder that another process holds, until it is killed', async () => {
    const { child, said } = await otherProcess();
    expect(said).toBe('holds');
    expect(() => lockRun(dir, now)).toThrow(ConfigError);
    expect(() => lockRun(dir, now)).toThrow(`in use by process ${child.pid} on ${hostname()}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(lock)).toBe(true);
    lockRun(dir, now).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('goes when a process ends by itself', async () => {
    const { child } = await otherProcess();
    child.stdin!.end();
    await once(child, 'close');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is free to the same process', () => {
    const first = lockRun(dir, now);
    const second = lockRun(dir, () => new Date(0));
    first.release();
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
    second.release();
    second.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('adds one listener to the process, however many runs follow each other', () => {
    const before = process.listenerCount('exit');
    for (let run = 0; run < 12; run += 1) lockRun(temporaryFolder(), () => new Date()).release();
    expect(process.listenerCount('exit') - before).toBeLessThanOrEqual(1);
  });

  it('is refused where the holder cannot be asked: on another machine', () => {
    holder({ host: 'elsewhere', pid: 2 ** 30 });
    expect(() => lockRun(dir, now)).toThrow(/process 1073741824 on elsewhere, since 2026-11-01/);
    expect(existsSync(lock)).toBe(true);
  });

  it('is taken over when the number belongs to nobody', () => {
    holder({ pid: 2 ** 30 });
    lockRun(dir, now).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('or to a younger process, where the system tells the age', () => {
    const take = () => lockRun(dir, now).release();
    holder({ pid: process.ppid });
    expect(take).toThrow('in use');
    holder({ pid: process.ppid, born: '1' });
    if (existsSync('/proc/self/stat')) expect(take).not.toThrow();
    else expect(take).toThrow('in use');
  });

  it.each(['', '{"pid":', '[]'])('waits for a lock that is half written: %s', (text) => {
    writeFileSync(lock, text);
    utimesSync(lock, now(), now());
    expect(() => lockRun(dir, now)).toThrow('in use by another process');
    lockRun(dir, () => new Date('2026-11-23T17:33:30Z')).release();
    expect(readdirSync(dir)).toEqual([]);
  });
});
