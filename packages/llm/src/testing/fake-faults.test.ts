import { describe, expect, it } from 'vitest';
import { promptHash } from '../testing.js';
import { ask, closeAfterEach, failure, start, startForAll, user } from './__fixtures__/ask.js';

closeAfterEach();

const patiently = { interval: 2, timeout: 15_000 };

describe('failures', () => {
  it('says when to come back in three forms, or not at all', async () => {
    const clock = {
      now: () => 0,
      date: () => Date.UTC(2026, 0, 2, 3, 4, 5, 600),
      sleep: () => Promise.resolve(),
    };
    const server = await start(
      {
        rules: [
          { do: 'rate-limit', retryAfter: 'milliseconds', waitMs: 250, when: { contains: 'ms' } },
          { do: 'rate-limit', retryAfter: 'seconds', waitMs: 2000, when: { contains: 'sec' } },
          { do: 'rate-limit', retryAfter: 'date', waitMs: 2000, when: { contains: 'date' } },
          { do: 'rate-limit' },
        ],
      },
      { clock },
    );
    const [ms, seconds, date, none] = await Promise.all(
      ['ms', 'sec', 'date', 'none'].map((text) => ask(server, text)),
    );
    expect([ms, seconds, date, none].map((x) => x?.status)).toEqual([429, 429, 429, 429]);
    expect(ms?.headers.get('retry-after-ms')).toBe('250');
    expect(seconds?.headers.get('retry-after')).toBe('2');
    expect(date?.headers.get('retry-after')).toBe('Fri, 02 Jan 2026 03:04:08 GMT');
    expect(none?.headers.get('retry-after')).toBeNull();
    expect(none?.json?.error?.code).toBe('rate_limit_exceeded');
    expect(server.counters).toMatchObject({ received: 4, rejected: 4, paid: 0 });
  });

  it('fails at first attempts of a prompt only, then succeeds', async () => {
    const server = await start({ rules: [{ do: 'status', status: 500, when: { times: 2 } }] });
    const statuses: number[] = [];
    for (const text of ['a', 'b', 'a', 'a', 'b', 'b'])
      statuses.push((await ask(server, text)).status);
    expect(statuses).toEqual([500, 500, 500, 200, 500, 200]);
    const hash = promptHash(user('a'));
    expect(server.counters.byPrompt.get(hash)).toEqual({ received: 3, paid: 1, rejected: 2 });
    expect(server.requests().map((x) => x.attempt)).toEqual([1, 1, 2, 3, 2, 3]);
  });

  it('draws each attempt anew when told, and can fail late or for a stretch', async () => {
    const server = await start({
      rules: [
        { do: 'status', status: 500, when: { share: 0.5, draw: 'attempt', contains: 'draw' } },
        { do: 'status', status: 502, when: { from: 2, contains: 'late' } },
        { do: 'status', status: 503, when: { requests: [21, 22] } },
      ],
    });
    const drawn = new Set<number>();
    for (let i = 0; i < 16; i += 1) drawn.add((await ask(server, 'draw')).status);
    expect(drawn).toEqual(new Set([200, 500]));
    expect([(await ask(server, 'late')).status, (await ask(server, 'late')).status]).toEqual([
      200, 502,
    ]);
    const stretch: number[] = [];
    for (let i = 0; i < 6; i += 1) stretch.push((await ask(server, `s${i}`)).status);
    expect(stretch).toEqual([200, 200, 503, 503, 200, 200]);
  });

  it.each([401, 403, 404, 408, 409, 425, 500, 503, 520])('status %d', async (status) => {
    const server = await start({ rules: [{ do: 'status', status }] });
    const answer = await ask(server, 'x');
    expect(answer.status).toBe(status);
    expect(answer.json?.error?.message).toMatch(/\w/u);
  });

  it('a 503 may say when to come back', async () => {
    const server = await start({
      rules: [{ do: 'status', status: 503, retryAfter: 'seconds', waitMs: 7000 }],
    });
    expect((await ask(server, 'x')).headers.get('retry-after')).toBe('7');
  });

  it('quota, keys, models', async () => {
    const server = await start({
      rules: [
        { do: 'quota', when: { contains: 'quota' } },
        { do: 'api-key', keys: ['good'] },
        { do: 'known-models', names: ['m'] },
      ],
    });
    const init = { headers: { authorization: 'Bearer good' } };
    expect((await ask(server, 'quota')).json?.error?.code).toBe('insufficient_quota');
    expect((await ask(server, 'x')).status).toBe(401);
    expect((await ask(server, 'x', {}, init)).status).toBe(200);
    const other = await ask(server, 'x', { model: 'other' }, init);
    expect([other.status, other.json?.error?.code]).toEqual([404, 'model_not_found']);
  });

  it('parameters, schema, length, choices and log probabilities that are refused', async () => {
    const server = await start({
      rules: [
        { do: 'refuse-parameter', parameter: 'max_tokens', instead: 'max_completion_tokens' },
        { do: 'refuse-parameter', parameter: 'temperature', when: { contains: 'hot' } },
        { do: 'no-json-schema' },
        { do: 'no-logprobs', form: 'refuse' },
        { do: 'one-choice' },
        { do: 'context-length', tokens: 50 },
      ],
    });
    const named = await ask(server, 'x', { max_tokens: 5 });
    expect([named.status, named.json?.error?.param]).toEqual([400, 'max_tokens']);
    expect(named.json?.error?.message).toContain("Use 'max_completion_tokens' instead");
    expect((await ask(server, 'x', { max_completion_tokens: 5 })).status).toBe(200);
    expect((await ask(server, 'hot')).json?.error?.param).toBe('temperature');
    const format = { type: 'json_schema', json_schema: { name: 'n', schema: {} } };
    expect((await ask(server, 'x', { response_format: format })).json?.error?.param).toBe(
      'response_format',
    );
    expect((await ask(server, 'x', { logprobs: true })).json?.error?.param).toBe('logprobs');
    expect((await ask(server, 'x', { n: 2 })).json?.error?.param).toBe('n');
    const long = await ask(server, 'word '.repeat(60));
    expect([long.status, long.json?.error?.code]).toEqual([400, 'context_length_exceeded']);
  });

  it('too many at once', async () => {
    const server = await startForAll(4, { rules: [{ do: 'overload', concurrent: 2 }] });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => ask(server, text)));
    expect(answers.map((x) => x.status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
    expect(server.counters.maxConcurrent).toBe(4);
  });

  it('cuts before, within and after the headers, streamed or not', async () => {
    const server = await start({
      rules: (['before-headers', 'within-headers', 'mid-body'] as const).map((at) => ({
        do: 'cut' as const,
        at,
        when: { contains: at },
      })),
    });
    expect(await failure(ask(server, 'before-headers'))).toContain('ECONNRESET');
    expect(await failure(ask(server, 'within-headers'))).toMatch(/ECONNRESET|UND_ERR|HPE/u);
    expect(await failure(ask(server, 'mid-body'))).toMatch(/ECONNRESET|terminated/u);
    expect(await failure(ask(server, 'mid-body', { stream: true }))).toMatch(/terminated/u);
    expect(server.counters).toMatchObject({ received: 4, paid: 0, broken: 4 });
    expect((await ask(server, 'fine')).status).toBe(200);
  });

  it('takes the first failure of the script that fits', async () => {
    const server = await start({
      rules: [
        { do: 'cut', when: { contains: 'both', times: 1 } },
        { do: 'status', status: 503, when: { contains: 'both' } },
        { do: 'broken-json' },
      ],
    });
    expect(await failure(ask(server, 'both'))).toContain('ECONNRESET');
    expect((await ask(server, 'both')).status).toBe(503);
    expect((await ask(server, 'neither')).json).toBeUndefined();
  });

  it('hangs before the headers and within the body until the client leaves', async () => {
    const server = await start({
      rules: [
        { do: 'hang', at: 'before-headers', when: { contains: 'before' } },
        { do: 'hang', at: 'mid-body', when: { contains: 'within' } },
      ],
    });
    const left = async (content: string, broken: number): Promise<string> => {
      const leaving = new AbortController();
      const asked = failure(ask(server, content, {}, { signal: leaving.signal }));
      await expect.poll(() => server.counters.broken, patiently).toBe(broken);
      leaving.abort();
      return asked;
    };
    expect(await left('before', 1)).toContain('AbortError');
    expect(await left('within', 2)).toContain('AbortError');
    const leaving = new AbortController();
    const stream = await fetch(`${server.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ messages: user('within'), stream: true }),
      signal: leaving.signal,
    });
    expect(stream.status).toBe(200);
    const text = failure(stream.text());
    leaving.abort();
    expect(await text).toContain('AbortError');
    expect(server.counters).toMatchObject({ paid: 0, broken: 3 });
  });

  it('closes although requests hang', async () => {
    const server = await start({ rules: [{ do: 'hang' }] });
    const hanging = failure(ask(server, 'x'));
    await expect.poll(() => server.counters.broken, patiently).toBe(1);
    await server.close();
    expect(await hanging).toMatch(/ECONNRESET|UND_ERR_SOCKET/u);
  });

  it('breaks JSON', async () => {
    const server = await start({
      rules: [
        { do: 'broken-json', body: '<html>', when: { contains: 'page' } },
        { do: 'broken-json' },
      ],
    });
    const cut = await ask(server, 'x');
    expect([cut.status, cut.json]).toEqual([200, undefined]);
    expect(cut.text).toContain('"chat.completion"');
    expect((await ask(server, 'page')).text).toBe('<html>');
  });

  it('does not count an answer that the client did not wait for', async () => {
    let wake = (): void => undefined;
    const sleep = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      });
    const clock = { now: () => 0, date: () => 0, sleep };
    const server = await start({}, { clock, latencyMs: 1 });
    const leaving = new AbortController();
    const left = failure(ask(server, 'x', {}, { signal: leaving.signal }));
    await expect.poll(() => server.counters.received, patiently).toBe(1);
    leaving.abort();
    await expect.poll(() => server.counters.concurrent, patiently).toBe(0);
    wake();
    expect(await left).toContain('AbortError');
    await expect.poll(() => server.counters.abandoned, patiently).toBe(1);
    expect(server.counters.paid).toBe(0);
  });
});
