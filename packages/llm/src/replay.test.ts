import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from './chat.js';
import { LlmFailure } from './llm-failure.js';
import { createReplayClient, recordingClient } from './replay.js';
import { createScriptedClient } from './scripted.js';

const ask = (content: string, change: Partial<ChatRequest> = {}): ChatRequest => ({
  messages: [{ role: 'user', content }],
  ...change,
});
const schema = z.object({ verdict: z.enum(['yes', 'no']) });

let dir: string;
let calls: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-replay-'));
  calls = 0;
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

function model(name = 'tiny') {
  return createScriptedClient({
    model: name,
    answer: ({ messages, responseFormat }) => {
      calls += 1;
      const { content } = messages[0]!;
      if (content === 'refuse') {
        throw new LlmFailure('No.', { kind: 'refusal', isRetryable: false, attempts: 1 });
      }
      if (content === 'break') {
        throw new LlmFailure('Gone.', { kind: 'network', isRetryable: true, attempts: 3 });
      }
      if (content === 'mumble') return 'Hm.';
      return responseFormat ? '{"verdict":"YES"}' : `Answer ${calls} to ${content}`;
    },
  });
}

describe('createReplayClient', () => {
  it('gives the recorded answers again', async () => {
    const recording = recordingClient(model(), dir);
    const first = await recording.chat(ask('a', { sample: 1, tag: 't', timeoutMs: 5 }));
    const again = await recording.chat(ask('a', { sample: 1 }));
    expect(again.text).toBe('Answer 2 to a');
    const json = await recording.json(ask('b'), schema);
    const vectors = await recording.embed(['x y', 'z']);
    await recording.close();

    const replay = await createReplayClient(dir);
    expect(replay.model).toBe('tiny');
    const answer = await replay.chat(ask('a', { sample: 1, temperature: 0 }));
    expect(answer).toMatchObject({ text: first.text, usage: first.usage, isCached: true });
    expect(answer.requestHash).toBe(replay.hashOf(ask('a', { sample: 1 })));
    const same = await replay.json(ask('b'), schema);
    expect(same).toMatchObject({ json: json.json, origin: 'repaired', attempts: 0 });
    expect((await replay.embed(['z', 'x y'])).values.slice(64)).toEqual(
      vectors.values.slice(0, 64),
    );
    expect(await replay.count([{ role: 'user', content: 'Hello' }])).toMatchObject({ tokens: 8 });
    await replay.close();
  });

  it('fails as the model failed, but not as the network did', async () => {
    const recording = recordingClient(model(), dir);
    for (const content of ['refuse', 'break']) {
      await recording.chat(ask(content)).catch(() => undefined);
    }
    await recording.json(ask('mumble'), schema).catch(() => undefined);
    const replay = await createReplayClient(dir);
    await expect(replay.chat(ask('refuse'))).rejects.toMatchObject({ kind: 'refusal' });
    await expect(replay.json(ask('mumble'), schema)).rejects.toMatchObject({
      kind: 'parse',
      text: 'Hm.',
    });
    await expect(replay.chat(ask('break'))).rejects.toThrow(/not among the 2 recorded/);
  });

  it('shows how the nearest request differs', async () => {
    const recording = recordingClient(model(), dir);
    await recording.chat(ask('What is the capital of France?'));
    await recording.chat(ask('Name a prime number.'));
    const replay = await createReplayClient(dir);
    const asked = replay.chat(ask('What is the capital of Spain?', { temperature: 0.5 }));
    const error = await asked.catch((problem: unknown) => problem as LlmFailure);
    expect(error).toMatchObject({ kind: 'bad-request', endsRun: true });
    const { message } = error as LlmFailure;
    expect(message).toContain('temperature: recorded the default, asked 0.5');
    expect(message).toContain(
      'message 1 (user) from character 24: recorded "France?", asked "Spain?"',
    );
    await expect(replay.embed(['x'])).rejects.toThrow(/embedding of "x" was not recorded/);
    const system = replay.chat({ messages: [{ role: 'system', content: 'prime number' }] });
    await expect(system).rejects.toThrow(/message 1: recorded user, asked system/);
  });

  it('keeps no secrets', async () => {
    const secret = 'tok-3141592653';
    const leaky = createScriptedClient({ model: 'tiny', answer: () => `It is ${secret}` });
    const recording = recordingClient(leaky, dir, { secrets: [secret] });
    const prompt = `Use ${secret} and Authorization: Bearer abcdefghijkl`;
    await recording.chat(ask(prompt));
    const text = readFileSync(join(dir, 'recorded.jsonl'), 'utf8');
    expect(text).not.toContain(secret);
    expect(text).not.toContain('abcdefghijkl');
    const replay = await createReplayClient(dir);
    expect((await replay.chat(ask(prompt))).text).toBe('It is [redacted]');
  });

  it('refuses folders without a recording, with others, and with something else', async () => {
    await expect(createReplayClient(dir)).rejects.toThrow(/no recording/);
    await recordingClient(model('a'), dir).chat(ask('x'));
    await recordingClient(model('b'), dir).chat(ask('x'));
    await expect(createReplayClient(dir)).rejects.toThrow(/recordings of a, b/);
    const { text } = await (await createReplayClient(dir, { model: 'b' })).chat(ask('x'));
    expect(text).toBe('Answer 2 to x');
    writeFileSync(join(dir, 'recorded.jsonl'), '{"type":"other"}\n');
    await expect(createReplayClient(dir)).rejects.toThrow(/line 1/);
  });
});
