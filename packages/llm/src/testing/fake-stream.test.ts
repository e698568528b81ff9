import { describe, expect, it } from 'vitest';
import type { FakeScript, FakeServer } from '../testing.js';
import { ask, closeAfterEach, failure, start, startForAll } from './__fixtures__/ask.js';

closeAfterEach();

interface Event {
  /** Absent from an error. */
  readonly choices?: readonly {
    readonly delta: Readonly<Record<string, unknown>>;
    readonly finish_reason: string | null;
    readonly logprobs: object | null;
  }[];
  readonly usage?: object | null;
  readonly error?: { readonly message: string };
}

const withUsage = { stream: true, stream_options: { include_usage: true } };

async function stream(server: FakeServer, text: string, body: object): Promise<Event[]> {
  const answer = await ask(server, text, body);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const parts = answer.text.trim().split('\n\n');
  expect(parts.every((part) => part.startsWith('data: '))).toBe(true);
  return parts
    .map((part) => part.slice('data: '.length))
    .filter((part) => part !== '[DONE]')
    .map((part) => JSON.parse(part) as Event);
}

const textOf = (events: readonly Event[], key: string): string =>
  events.map((event) => String(event.choices?.[0]?.delta[key] ?? '')).join('');

describe('streams', () => {
  const script: FakeScript = {
    rules: [
      { do: 'reasoning', form: 'reasoning_content', text: 'hm hm', when: { contains: 'think' } },
      { do: 'refusal', when: { contains: 'refuse' } },
      { do: 'no-usage', when: { contains: 'uncounted' } },
      { do: 'stream-error', when: { contains: 'dies' } },
      { do: 'echo' },
    ],
  };

  it('give text, reasoning, reason of the end and usage apart', async () => {
    const server = await start(script);
    const events = await stream(server, 'think of it', withUsage);
    expect(textOf(events, 'content')).toBe('think of it');
    expect(textOf(events, 'reasoning_content')).toBe('hm hm');
    const ends = events.map((event) => event.choices?.[0]?.finish_reason ?? null);
    expect(ends.filter((end) => end !== null)).toEqual(['stop']);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 5 } });
    expect(events[0]?.usage).toBeNull();
    expect(server.counters).toMatchObject({ paid: 1, completionTokens: 5 });
  });

  it('give usage only when asked, and not at all when told so', async () => {
    const server = await start(script);
    const plain = await stream(server, 'hello', { stream: true });
    expect(plain.some((event) => 'usage' in event)).toBe(false);
    const uncounted = await stream(server, 'uncounted', withUsage);
    expect(uncounted.some((event) => (event.usage ?? null) !== null)).toBe(false);
  });

  it('give refusals and log probabilities', async () => {
    const server = await start(script);
    expect(textOf(await stream(server, 'refuse', { stream: true }), 'refusal')).toContain('sorry');
    const body = { stream: true, logprobs: true, top_logprobs: 3 };
    const events = await stream(server, 'two words', body);
    const listed = events.filter((event) => (event.choices?.[0]?.logprobs ?? null) !== null);
    expect(listed).toHaveLength(2);
  });

  it('may end in an error, which a server that does not stream answers with 500', async () => {
    const server = await start(script);
    const events = await stream(server, 'it dies here soon', { stream: true });
    expect(textOf(events, 'content')).toMatch(/^it/u);
    expect(events.at(-1)?.error?.message).toBe('The engine died.');
    expect((await ask(server, 'it dies')).status).toBe(500);
    expect(server.counters).toMatchObject({ paid: 0, broken: 1, rejected: 1 });
  });

  it('hold what was sent before a cut', async () => {
    const server = await start({ rules: [{ do: 'cut', at: 'mid-body' }] });
    const cut = ask(server, 'one two three four', { stream: true });
    expect(await failure(cut)).toMatch(/terminated|ECONNRESET/u);
  });
});

describe('rules with further settings', () => {
  it('a table may look for its keys anywhere in the prompt', async () => {
    const answers = { 'row 7': 'seven', 'row 8': 'eight' };
    const server = await start({
      rules: [{ do: 'table', answers, by: 'contains' }, { do: 'echo' }],
    });
    const found = await ask(server, 'Judge row 8 now.');
    expect(found.json?.choices?.[0]?.message['content']).toBe('eight');
    const other = await ask(server, 'Judge row 9 now.');
    expect(other.json?.choices?.[0]?.message['content']).toBe('Judge row 9 now.');
  });

  it('a full server may answer 503, as Ollama does', async () => {
    const rules = [{ do: 'overload' as const, concurrent: 1, status: 503 as const }];
    const server = await startForAll(2, { rules });
    const answers = await Promise.all([ask(server, 'a'), ask(server, 'b')]);
    expect(answers.map((x) => x.status).toSorted((a, b) => a - b)).toEqual([200, 503]);
  });
});
