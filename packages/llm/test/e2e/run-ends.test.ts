/** How a run that cannot go on says why, and how it goes on later. */
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '@lab/core';
import { type FakeServer, startFakeServer } from '../../src/testing.js';
import { ask, failureOf, setStage } from './client-setup.js';
import { sayHere } from './llm-here.js';
import { writeRows } from './llm-process.js';

let server: FakeServer;
const rows = writeRows(30);
const stage = setStage();

const run = (out: string, ...more: string[]) => [
  ...['run', '--data', rows.data, '--prompt', rows.prompt, '--base-url', server.url],
  ...['--model', 'fake', '--out', out, '--cache', 'off', ...more],
];

beforeAll(async () => {
  server = await startFakeServer();
});

afterAll(() => server.close());

describe('a run that ends early', () => {
  it('at a budget, tells the command that goes on', async () => {
    const out = join(temporaryFolder(), 'run');
    const { code, stderr } = await sayHere(...run(out, '--max-calls', '5'));
    expect(code).toBe(6);
    expect(stderr).toContain(`saved: what is done is kept; "llm run --resume ${out}" goes on`);
    const again = await sayHere('run', '--resume', out, '--max-calls', '100');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/ok +30/);
  });

  it('at a wrong key, too; where nothing was begun, nothing is said to be saved', async () => {
    server.useScript({ rules: [{ do: 'api-key', keys: ['right'] }] });
    const out = join(temporaryFolder(), 'run');
    const { code, stderr } = await sayHere(...run(out));
    expect([code, stderr]).toEqual([4, expect.stringContaining(`--resume ${out}" goes on`)]);
    const none = await sayHere(...run(out, '--budget-usd', '1'));
    expect(none.code).toBe(2);
    expect(none.stderr).not.toContain('saved');
    server.useScript({});
  });
});

describe('a server that is not there', () => {
  it('is said to be so with the first pause, and again at the end', async () => {
    const said: string[] = [];
    const note = (text: string): void => void said.push(text);
    const logger: Logger = { debug: note, info: note, warn: note };
    const { client } = stage.play([], { baseUrl: 'http://127.0.0.1:9/v1', logger });
    const calls = Array.from({ length: 80 }, (_, i) => failureOf(client.chat(ask(`${i}`))));
    const failures = await Promise.all(calls);
    expect(said[0]).toMatch(
      /127\.0\.0\.1:9\S*: only failures \(no connection: .*ECONNREFUSED.*\), /,
    );
    const last = failures.filter(({ endsRun }) => endsRun).at(-1);
    expect(last?.message).toMatch(/again and again, after pauses too \(no connection: .*REFUSED/);
  });
});
