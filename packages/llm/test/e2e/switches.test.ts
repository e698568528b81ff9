import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from '../../src/chat.js';
import type { ClientOptions, HttpClient } from '../../src/index.js';
import { type FakeRuleName, type FakeScript, fakeScriptSchema } from '../../src/testing.js';
import { ask, failureOf, type Rules, setStage } from './client-setup.js';

const stage = setStage();
const verdict = z.object({ verdict: z.enum(['yes', 'no']) });
const yes = { do: 'text', text: '{"verdict":"yes"}' } as const;
const once = { times: 1 } as const;

/** What a client of a server with one switch on has to see. */
interface Switch {
  readonly rules: Rules;
  readonly script?: FakeScript;
  readonly options?: Partial<ClientOptions>;
  /** Default: one plain request. */
  readonly play?: (client: HttpClient) => Promise<unknown>;
  /** Of the result, or of the failure. */
  readonly sees: object;
  /** Milliseconds of each wait; default none. */
  readonly waits?: readonly number[];
}

const json = (client: HttpClient) => client.json(ask(), verdict);
const failing = (play: (client: HttpClient) => Promise<unknown>) => (client: HttpClient) =>
  failureOf(play(client));
const plain =
  (more: Partial<ChatRequest> = {}) =>
  (client: HttpClient) =>
    client.chat(ask('Which colour?', more));
const fails = failing(plain());
const long = (client: HttpClient) => client.chat(ask('many words here '.repeat(600)));

/** One case, or several, for each switch of the misbehaving server. */
const switches: { readonly [name in FakeRuleName]: readonly Switch[] } = {
  text: [{ rules: [{ do: 'text', text: 'blue' }], sees: { text: 'blue', attempts: 1 } }],
  table: [{ rules: [{ do: 'table', answers: { 'Which colour?': 'red' } }], sees: { text: 'red' } }],
  echo: [{ rules: [{ do: 'echo' }], sees: { text: 'Which colour?' } }],
  choose: [{ rules: [{ do: 'choose', texts: ['one'] }], sees: { text: 'one' } }],
  words: [{ rules: [{ do: 'words', count: 3 }], sees: { usage: { completion: 3 } } }],
  recall: [{ rules: [{ do: 'recall', pattern: 'col\\w+' }], sees: { text: 'colour' } }],
  'fill-schema': [
    {
      rules: [{ do: 'fill-schema', schema: { const: { verdict: 'no' } } }],
      play: json,
      sees: { json: { verdict: 'no' }, origin: 'direct', level: 'json-schema' },
    },
  ],
  status: [
    ...[408, 409, 425, 500, 502, 503, 504, 520, 529].map((status) => ({
      rules: [{ do: 'status', status, when: once } as const],
      sees: { attempts: 2 },
      waits: [1000],
    })),
    {
      rules: [{ do: 'status', status: 500 }],
      play: fails,
      sees: { kind: 'server', attempts: 6 },
      waits: [1000, 2000, 4000, 8000, 16_000],
    },
    {
      rules: [{ do: 'status', status: 503, retryAfter: 'seconds', waitMs: 9000, when: once }],
      sees: { attempts: 2 },
      waits: [9000],
    },
    ...([401, 403, 404] as const).map((status) => ({
      rules: [{ do: 'status', status } as const],
      play: fails,
      sees: { kind: 'auth', attempts: 1, endsRun: true },
    })),
  ],
  'rate-limit': [
    ...(
      [
        ['milliseconds', 1250, 1250],
        ['seconds', 7000, 7000],
        ['seconds', 3_600_000, 600_000],
        ['none', 0, 2000],
      ] as const
    ).map(([retryAfter, waitMs, waited]) => ({
      rules: [{ do: 'rate-limit', retryAfter, waitMs, when: once } as const],
      sees: { attempts: 2 },
      waits: [waited],
    })),
    {
      rules: [{ do: 'rate-limit', retryAfter: 'seconds', waitMs: 600_000 }],
      play: fails,
      sees: { kind: 'rate-limit', attempts: 4, isRetryable: true },
      waits: [600_000, 600_000, 600_000],
    },
  ],
  quota: [
    { rules: [{ do: 'quota' }], play: fails, sees: { kind: 'quota', attempts: 1, endsRun: true } },
  ],
  overload: [
    {
      rules: [
        { do: 'overload', concurrent: 1 },
        { do: 'latency', ms: 30 },
      ],
      play: (client) => Promise.all(['a', 'b', 'c'].map((text) => client.chat(ask(text)))),
      sees: { length: 3 },
      waits: expect.anything() as unknown as number[],
    },
  ],
  hang: [
    {
      rules: [{ do: 'hang' }],
      // A prompt of its own, as a request that was given up may arrive later.
      play: failing((client) => client.chat(ask('Who hangs?', { timeoutMs: 60 }))),
      sees: { kind: 'timeout', attempts: 2 },
      waits: [1000],
    },
  ],
  cut: (['before-headers', 'within-headers', 'mid-body'] as const).map((at) => ({
    rules: [{ do: 'cut', at, when: once } as const],
    sees: { attempts: 2 },
    waits: [1000],
  })),
  'stream-error': [
    {
      rules: [{ do: 'stream-error', when: once }],
      options: { isStreamed: true },
      sees: { attempts: 2 },
      waits: [1000],
    },
  ],
  'broken-json': [
    { rules: [{ do: 'broken-json', when: once }], sees: { attempts: 2 }, waits: [1000] },
    {
      rules: [{ do: 'broken-json' }],
      play: fails,
      sees: { kind: 'server', attempts: 2, isRetryable: true },
      waits: [1000],
    },
  ],
  'content-filter': (['finish', 'error'] as const).flatMap((form) => [
    {
      rules: [{ do: 'content-filter', form } as const],
      play: fails,
      sees: { kind: 'content-filter', attempts: 1 },
    },
    {
      rules: [{ do: 'content-filter', form, when: once } as const],
      options: { retries: { refusalRetries: 1 } },
      sees: { attempts: 2 },
    },
  ]),
  'context-length': [
    {
      rules: [{ do: 'context-length' }],
      play: fails,
      sees: { kind: 'context-length', attempts: 1, endsRun: false },
    },
  ],
  'api-key': [
    { rules: [{ do: 'api-key', keys: ['good'] }], options: { apiKey: 'good' }, sees: {} },
    { rules: [{ do: 'api-key', keys: ['good'] }], play: fails, sees: { kind: 'auth' } },
  ],
  'known-models': [
    { rules: [{ do: 'known-models', names: ['x'] }], play: fails, sees: { kind: 'auth' } },
  ],
  'refuse-parameter': [
    {
      rules: [
        { do: 'refuse-parameter', parameter: 'max_tokens', instead: 'max_completion_tokens' },
      ],
      sees: {
        attempts: 2,
        warnings: ['parameter: max_tokens -> max_completion_tokens was not taken'],
      },
    },
    {
      rules: [{ do: 'refuse-parameter', parameter: 'temperature' }],
      sees: { attempts: 2, warnings: ['parameter: temperature was not taken'] },
    },
  ],
  'no-json-schema': [
    { rules: [{ do: 'no-json-schema' }, yes], play: json, sees: { level: 'json-object' } },
  ],
  latency: [{ rules: [{ do: 'latency', ms: 5 }], sees: { attempts: 1 } }],
  fenced: [
    { rules: [{ do: 'fenced' }, yes], play: json, sees: { json: { verdict: 'yes' }, attempts: 1 } },
  ],
  'extra-text': [
    { rules: [{ do: 'extra-text' }, yes], play: json, sees: { json: { verdict: 'yes' } } },
  ],
  reasoning: (['tags', 'closing-tag', 'reasoning_content', 'reasoning'] as const).map((form) => ({
    rules: [{ do: 'reasoning', form, text: '{"verdict":"no"}' } as const, yes],
    play: json,
    sees: { json: { verdict: 'yes' }, reasoning: '{"verdict":"no"}' },
  })),
  refusal: [
    { rules: [{ do: 'refusal' }], play: fails, sees: { kind: 'refusal', attempts: 1 } },
    {
      rules: [{ do: 'refusal', when: once }],
      options: { retries: { refusalRetries: 1 } },
      sees: { attempts: 2 },
    },
  ],
  empty: (['empty', 'null', 'blank'] as const).map((content) => ({
    rules: [{ do: 'empty', content, when: once } as const],
    sees: { attempts: 2 },
    waits: [1000],
  })),
  length: [
    {
      rules: [{ do: 'length', untilMaxTokens: 2048 }, yes],
      play: json,
      sees: { json: { verdict: 'yes' }, origin: 'direct', attempts: 2 },
    },
    {
      rules: [{ do: 'length', keepShare: 0.2 }, yes],
      play: failing(json),
      sees: { kind: 'truncated', attempts: 2 },
    },
  ],
  'no-usage': [
    {
      rules: [{ do: 'no-usage' }],
      sees: {
        usage: { isEstimated: true },
        warnings: ['usage: the server gave none, tokens are estimated'],
      },
    },
  ],
  truncate: [
    {
      rules: [{ do: 'truncate', tokens: 500 }],
      play: failing(long),
      sees: { kind: 'truncated', attempts: 1, isRetryable: false },
    },
  ],
  'cached-tokens': [
    { rules: [{ do: 'cached-tokens', tokens: 2 }], sees: { usage: { cached: 2 } } },
  ],
  'wrong-model': [
    { rules: [{ do: 'wrong-model', name: 'other' }], sees: { servedModel: 'other' } },
  ],
  'schema-ignored': [
    {
      // Until it is shown what is wrong.
      rules: [
        { do: 'schema-ignored' },
        { ...yes, when: { contains: 'cannot be used' } },
        { do: 'words', count: 5 },
      ],
      play: json,
      sees: { json: { verdict: 'yes' }, origin: 'repaired-by-call', attempts: 2 },
    },
  ],
  'no-logprobs': (['ignore', 'refuse'] as const).map((form) => ({
    rules: [{ do: 'no-logprobs', form } as const],
    play: plain({ topLogprobs: 5 }),
    sees: { logprobs: null, warnings: expect.arrayContaining(['logprobs: the server gave none']) },
  })),
  alternatives: [
    {
      rules: [
        { do: 'alternatives', of: { yes: { yes: 0.9, no: 0.1 } } },
        { do: 'text', text: 'yes' },
      ],
      play: plain({ topLogprobs: 2 }),
      sees: { logprobs: [{ token: 'yes', top: [{ token: 'yes' }, { token: 'no' }] }] },
    },
  ],
  'one-choice': [
    {
      rules: [{ do: 'one-choice' }],
      play: (client) => client.samples(ask('a', { temperature: 1 }), 3),
      sees: { length: 3 },
    },
  ],
  'rate-headers': [
    {
      rules: [{ do: 'rate-headers', requests: 60 }],
      play: async (client) => {
        for (const text of ['a', 'b', 'c']) await client.chat(ask(text));
        return {};
      },
      sees: {},
      waits: [1000],
    },
  ],
  'shuffle-embeddings': [
    {
      rules: [{ do: 'shuffle-embeddings' }],
      play: async (client) => {
        const { values, width } = await client.embed(['a b', 'c d']);
        const { values: second } = await client.embed(['c d']);
        return { isInOrder: values.slice(width).every((value, at) => value === second[at]) };
      },
      sees: { isInOrder: true },
    },
  ],
  'uneven-embeddings': [
    {
      rules: [{ do: 'uneven-embeddings' }],
      play: failing((client) => client.embed(['a', 'b'])),
      sees: { kind: 'server' },
    },
  ],
};

const cases = Object.entries(switches).flatMap(([name, list]) =>
  list.map((one) => [`${name}: ${JSON.stringify(one.rules[0])}`, one] as const),
);

describe('each switch of the misbehaving server', () => {
  it.each(cases)('%s', async (_, { rules, script, options, play = plain(), sees, waits = [] }) => {
    const { client, clock } = stage.play(rules, options, script);
    expect(await play(client)).toMatchObject(sees);
    expect(clock.waits).toEqual(waits);
  });

  it('has a case', () => {
    const { rules } = z.toJSONSchema(fakeScriptSchema, { io: 'input' }).properties ?? {};
    const names = [
      ...JSON.stringify(rules).matchAll(/"do":\{"type":"string","const":"([a-z-]+)"/g),
    ];
    expect(new Set(names.map(([, name]) => name))).toEqual(new Set(Object.keys(switches)));
  });
});
