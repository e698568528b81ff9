import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FakeScript, promptHash, startFakeServer } from '../testing.js';
import { ask, closeAfterEach, contentOf, start, user } from './__fixtures__/ask.js';

closeAfterEach();

describe('counters', () => {
  it('can be read and reset from elsewhere', async () => {
    const server = await start({ rules: [{ do: 'words', count: 3 }] });
    for (const text of ['a', 'b', 'a']) await ask(server, text);
    const at = new URL('/fake/counters', server.url);
    const totals = await (await fetch(at)).json();
    expect(totals).toMatchObject({
      received: 3,
      paid: 3,
      doublePaid: 1,
      surplusPaid: 1,
      prompts: 2,
      completionTokens: 9,
    });
    expect(totals).not.toHaveProperty('byPrompt');
    const listed = (await (await fetch(`${at}?prompts`)).json()) as { byPrompt: object };
    expect(listed.byPrompt).toHaveProperty([promptHash(user('a'))]);
    await fetch(at, { method: 'POST' });
    expect(server.counters).toMatchObject({ received: 0, paid: 0, doublePaid: 0 });
    expect(server.requests()).toEqual([]);
  });

  it('go on in another server with the same state file, a torn line left out', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llm-fake-'));
    const statePath = join(folder, 'state.txt');
    const first = await start({}, { statePath });
    await ask(first, 'a');
    await ask(first, 'b');
    await first.close();
    writeFileSync(statePath, 'torn', { flag: 'a' });
    const second = await start({}, { statePath });
    expect(second.counters).toMatchObject({ paid: 2, doublePaid: 0 });
    await ask(second, 'a');
    expect(second.counters).toMatchObject({ paid: 3, doublePaid: 1, promptTokens: 21 });
    const third = await start({}, { statePath });
    expect(third.counters).toMatchObject({ paid: 3, doublePaid: 1 });
    rmSync(folder, { recursive: true });
  });
});

describe('scripts', () => {
  it('are checked', async () => {
    const script = { rules: [{ do: 'status', status: 99 }] } as unknown as FakeScript;
    await expect(startFakeServer({ script })).rejects.toThrow(
      /llm\/testing: script, rules\.0\.status/u,
    );
    const strange = { rules: [{ do: 'dance' }] } as unknown as FakeScript;
    await expect(startFakeServer({ script: strange })).rejects.toThrow(/script/u);
  });

  it('can be changed while the server runs', async () => {
    const server = await start({ rules: [{ do: 'text', text: 'one' }] });
    expect(contentOf(await ask(server, 'x'))).toBe('one');
    server.useScript({ rules: [{ do: 'text', text: 'two' }] });
    expect(contentOf(await ask(server, 'x'))).toBe('two');
  });

  it('a port that is taken is named', async () => {
    const server = await start({});
    await expect(startFakeServer({ port: server.port })).rejects.toThrow(/EADDRINUSE/u);
  });
});
