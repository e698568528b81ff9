import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, silentLogger } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LlmFailure } from '../llm-failure.js';
import { type FakeServer, startFakeServer } from '../testing/fake-server.js';
import type { FlagValues } from './flag-values.js';
import { openSession, type SessionOptions } from './model-session.js';

const dir = temporaryFolder();
let servers: readonly [FakeServer, FakeServer];

beforeAll(async () => {
  const script = { rules: [{ do: 'echo' as const }] };
  servers = [await startFakeServer({ script }), await startFakeServer({ script })];
});
beforeEach(() => {
  for (const server of servers) server.reset();
});
afterAll(async () => {
  for (const server of servers) await server.close();
});

const open = (options: FlagValues, more: Partial<SessionOptions> = {}) =>
  openSession({
    ...{ context: { logger: silentLogger }, env: {}, hint: 'see the hint.' },
    options: { model: 'm', baseUrl: servers[0].url, cache: 'off', ...options },
    ...more,
  });
const say = (content: string) => ({ messages: [{ role: 'user' as const, content }] });
const received = () => servers.map(({ counters }) => counters.received);

describe('openSession', () => {
  it('shares requests among all addresses, under the name of the first', async () => {
    const session = await open({ baseUrl: servers.map(({ url }) => url) });
    for (let index = 0; index < 20; index += 1) await session.client.chat(say(`${index} words`));
    await session.close();
    const [one = 0, two = 0] = received();
    expect([one + two, one > 0, two > 0]).toEqual([20, true, true]);
    expect(session.server).toBe(servers[0].url);
    const alone = await open({});
    expect(session.client.hashOf(say('a'))).toBe(alone.client.hashOf(say('a')));
    await alone.close();
  });

  it('asks further models, at the same server or at another', async () => {
    const entry = `third@${servers[1].url}`;
    const session = await open({}, { furtherModels: ['second', entry] });
    for (const client of [session.client, ...Object.values(session.clients)]) {
      expect((await client.chat(say('hello'))).text).toBe('hello');
    }
    await session.close();
    const models = servers.map((server) => server.requests().map(({ body }) => body['model']));
    expect(models).toEqual([['m', 'second'], ['third']]);
  });

  it('asks as often as the flags say', async () => {
    servers[0].useScript({ rules: [{ do: 'status', status: 500 }] });
    const session = await open({ maxAttempts: 1 });
    const failure = await session.client.chat(say('a')).catch((error: unknown) => error);
    servers[0].useScript({ rules: [{ do: 'echo' }] });
    await session.close();
    expect(failure).toBeInstanceOf(LlmFailure);
    expect(failure).toMatchObject({ attempts: 1 });
    expect(received()).toEqual([1, 0]);
  });

  it('records, and takes the answers of a recording without a server', async () => {
    const [record, further] = [join(dir, 'recorded'), { furtherModels: ['second'] }];
    const first = await open({ record }, further);
    await first.client.chat(say('a'));
    await first.clients['second']?.chat(say('b'));
    await first.close();
    for (const server of servers) server.reset();
    const replayed = await open({ replay: record, baseUrl: undefined }, further);
    expect((await replayed.client.chat(say('a'))).text).toBe('a');
    expect((await replayed.clients['second']?.chat(say('b')))?.text).toBe('b');
    expect(replayed.server).toBe('recording');
    await replayed.close();
    expect(received()).toEqual([0, 0]);
    await expect(open({ replay: record, record })).rejects.toThrow('do not go together');
  });

  it('keeps answers, but makes no folder for a plan', async () => {
    const cache = { cache: 'write', cacheDir: join(dir, 'answers') };
    await (await open(cache, { isDryRun: true })).close();
    expect(existsSync(cache.cacheDir)).toBe(false);
    for (let times = 0; times < 2; times += 1) {
      const session = await open(cache);
      await session.client.chat(say('once'));
      await session.close();
    }
    expect(received()).toEqual([1, 0]);
  });

  it('says what is missing, with the hint', async () => {
    for (const [options, message] of [
      [{ model: undefined }, '--model NAME is missing.'],
      [{ baseUrl: undefined }, '--base-url URL is missing.'],
      [{ baseUrl: ['http://one/v1', ''] }, '--base-url URL is missing.'],
      [{ baseUrl: [] }, '--base-url URL is missing.'],
    ] as const) {
      const failure = await open(options).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ConfigError);
      expect(failure).toMatchObject({ message, help: expect.stringMatching(/; see the hint\.$/) });
    }
    await expect(open({ cache: 'toString' })).rejects.toThrow('none of off, read');
  });

  it('needs the prices of all models for a budget in dollars', async () => {
    const prices = join(dir, 'prices.json');
    writeFileSync(prices, JSON.stringify({ date: '2026-08-01', models: { m: { in: 1, out: 4 } } }));
    const budget = { budgetUsd: 1 };
    await expect(open({}, { budget })).rejects.toThrow('no price list');
    await (await open({ prices }, { budget })).close();
    const further = { budget, furtherModels: ['second'] };
    await expect(open({ prices }, further)).rejects.toThrow('no price in USD of second');
  });
});
