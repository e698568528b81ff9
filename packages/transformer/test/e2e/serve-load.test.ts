import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServeModelOptions } from '../../src/index.js';
import { ask, post, postStream, serveFolder, until, writeSmallModel } from './serve-setup.js';

// No token ends a text: how long answers are is said here.
const folder = writeSmallModel({ endId: 100_000 });
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(more: Partial<ServeModelOptions> = {}) {
  const served = await serveFolder(await folder, more);
  open.push(served.server);
  return { ...served, chats: `${served.url}/chat/completions` };
}

const long = (content: string, tokens = 400) =>
  ask(content, { temperature: 1, seed: 1, max_tokens: tokens });

/** Begins a stream, and gives the number of its events so far and its end. */
function follow(url: string, body: object) {
  const stop = new AbortController();
  const state = { events: 0, isEnded: false };
  const ended = (async () => {
    for await (const _ of postStream(url, body, stop.signal)) state.events += 1;
  })()
    .catch(() => undefined)
    .finally(() => {
      state.isEnded = true;
    });
  return { state, ended, stop: () => stop.abort() };
}

describe('requests together', () => {
  it('a late one has its first token before earlier ones end', async () => {
    const { chats, server } = await serve();
    const early = Array.from({ length: 4 }, (_, at) => follow(chats, long(`Early ${at}`)));
    await until(() => early.every(({ state }) => state.events > 3));
    const late = follow(chats, long('Late', 4));
    await until(() => late.state.events > 0);
    expect(early.map(({ state }) => state.isEnded)).toEqual([false, false, false, false]);
    await late.ended;
    expect(early.some(({ state }) => state.isEnded)).toBe(false);
    expect(server.load.activeRows).toBeGreaterThanOrEqual(4);
    for (const { stop } of early) stop();
  });

  it('a client that goes away gives its rows back, streamed or not', async () => {
    const { chats, server } = await serve({ maxRows: 3 });
    const streamed = follow(chats, { ...long('Away'), n: 2 });
    await until(() => streamed.state.events > 0);
    const whole = new AbortController();
    const waited = post(chats, long('Away, too'), { signal: whole.signal });
    const gone = expect(waited).rejects.toThrow(/abort/);
    await until(() => server.load.activeRows === 3);
    streamed.stop();
    whole.abort();
    await gone;
    await until(() => server.openRequests === 0 && server.load.reservedTokens === 0);
    expect(server.load).toMatchObject({ activeRows: 0, waitingRequests: 0 });
    expect((await post(chats, long('Next', 3))).status).toBe(200);
  });

  it('more than fit wait, and more than may wait are refused', async () => {
    const { chats, server, url } = await serve({ maxRows: 1, maxWaiting: 1 });
    const running = follow(chats, long('Running'));
    await until(() => running.state.events > 0);
    const waiting = post(chats, long('Waiting', 3));
    await until(() => server.load.waitingRequests === 1);
    const { status, headers, body } = await post(chats, long('Refused'));
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('1');
    expect(body.error).toMatchObject({ type: 'rate_limit_error', code: 'queue_full' });
    expect((await post(`${url}/embeddings`, { input: 'a' })).status).toBe(429);
    expect((await fetch(`${url}/models`)).status).toBe(200);
    running.stop();
    expect((await waiting).status).toBe(200);
    expect((await post(chats, long('Again', 3))).status).toBe(200);
  });

  it('embeddings come while answers go on', async () => {
    const { chats, url } = await serve();
    const running = follow(chats, long('Running'));
    await until(() => running.state.events > 0);
    const input = Array.from({ length: 40 }, (_, at) => `text ${at}`);
    const { body } = await post(`${url}/embeddings`, { input });
    expect(body.data).toHaveLength(40);
    expect(running.state.isEnded).toBe(false);
    running.stop();
  });
});

describe('a client that takes nothing', () => {
  it('holds up no other, and its row ends', async () => {
    const { chats, server } = await serve();
    const body = JSON.stringify({ ...long('Slow', 900), stream: true, logprobs: true, n: 4 });
    const sent = request(chats, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const answered = new Promise<void>((resolve) => {
      sent.on('response', (response) => {
        response.pause();
        resolve();
      });
    });
    sent.on('error', () => undefined);
    sent.end(body);
    await answered;
    expect((await post(chats, long('Quick', 3))).status).toBe(200);
    sent.destroy();
    await until(() => server.openRequests === 0 && server.load.reservedTokens === 0);
    expect(server.load.activeRows).toBe(0);
  });

  it('is given up after a while, and its rows are free', async () => {
    const { chats, server } = await serve({ takeMs: 100 });
    const more = { stream: true, logprobs: true, top_logprobs: 20, n: 8 };
    const body = JSON.stringify({ ...long('Slow', 900), ...more });
    const sent = request(chats, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const answered = new Promise<void>((resolve) => {
      sent.on('response', (response) => {
        response.pause();
        response.on('error', () => undefined);
        resolve();
      });
    });
    sent.on('error', () => undefined);
    sent.end(body);
    await answered;
    await until(() => server.openRequests === 0 && server.load.reservedTokens === 0);
    expect(server.load.activeRows).toBe(0);
    expect((await post(chats, long('Next', 3))).status).toBe(200);
    sent.destroy();
  });
});

describe('the end', () => {
  it('lets answers end, and refuses new requests meanwhile', async () => {
    const { chats, server, root } = await serve();
    const running = post(chats, long('Last', 400));
    await until(() => server.load.activeRows === 1);
    const closed = server.close(600_000);
    const refused = await post(chats, long('Late'));
    expect([refused.status, refused.body.error.code]).toEqual([503, 'stopping']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await fetch(`${root}/health`)).status).toBe(503);
    const { status, body } = await running;
    expect([status, body.usage['completion_tokens']]).toEqual([200, 400]);
    await closed;
    open.length = 0;
    await expect(fetch(`${root}/health`)).rejects.toThrow();
  });

  it('tells answers that it cuts', async () => {
    const { chats, server } = await serve();
    const whole = post(chats, long('Cut', 900));
    const events: unknown[] = [];
    const streamed = (async () => {
      for await (const event of postStream(chats, long('Cut', 900))) events.push(event);
    })();
    await until(() => server.load.activeRows === 2 && events.length > 0);
    await server.close();
    open.length = 0;
    const { status, body } = await whole;
    expect([status, body.error.code]).toEqual([503, 'stopped']);
    await streamed;
    expect(events.at(-1)).toMatchObject({ error: { code: 'stopped', type: 'server_error' } });
  });
});
