import { createScriptedClient } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { resolveConfig } from '@lab/core';
import { promptOf } from './answer-record.js';
import { loongConfig } from './config.js';
import { namedLibrary } from './library.js';
import { createServerCounter } from './server-tokens.js';

/** A server with a token a character, and seven for its chat format. */
function characterServer() {
  const asked: string[] = [];
  const base = createScriptedClient({ answer: () => '' });
  return {
    asked,
    client: {
      ...base,
      count: async ([message]: readonly { readonly content: string }[]) => {
        asked.push(message!.content);
        return { tokens: message!.content.length + 7, isExact: true };
      },
    },
  };
}

const texts = ['first '.repeat(20), 'second '.repeat(20), 'third '.repeat(20)];
const library = namedLibrary(
  'memory',
  texts.map((text, at) => ({ name: `d${at}`, title: `d${at}`, text })),
);
const record = recordWith({ doc: ['d0', 'd1', 'd2'], question: 'Which?', shuffle_doc: false });
const configWith = (maxLength: number) =>
  resolveConfig(loongConfig, {
    set: [
      ...['window.tokenizer=server', 'window.reserveOutput=0', 'window.slack=0'],
      `window.maxLength=${maxLength}`,
    ],
  }).config;

describe('the counter of a server', () => {
  it('takes off what its chat format adds, and asks for each text once', async () => {
    const { client, asked } = characterServer();
    const counter = createServerCounter(client);
    expect(await Promise.all(['four', 'four', ''].map(counter.count))).toEqual([4, 4, 0]);
    expect(await counter.overhead()).toBe(7);
    expect(asked.toSorted()).toEqual(['four', 'x']);
    expect(await counter.joined(['ab', 'cd'])).toBe(11);
  });

  it('asks again for what failed', async () => {
    const { client, asked } = characterServer();
    let failures = 2;
    const counter = createServerCounter({
      count: async (messages) => {
        failures -= 1;
        if (failures >= 0) throw new Error('busy');
        return client.count(messages);
      },
    });
    await expect(counter.count('four')).rejects.toThrow('busy');
    expect(await counter.count('four')).toBe(4);
    expect(await counter.overhead()).toBe(7);
    expect(asked.toSorted()).toEqual(['four', 'x']);
  });

  it('decides what fits: prompt and chat format within the window', async () => {
    const { client } = characterServer();
    const counter = createServerCounter(client);
    const whole = await promptOf(record, { config: configWith(10_000), library, counter });
    expect(whole.docsDropped).toEqual([]);
    expect(whole.promptTokens).toBe(whole.prompt.length + 7);
    const exact = configWith(whole.promptTokens);
    expect((await promptOf(record, { config: exact, library, counter })).docsDropped).toEqual([]);
    const short = configWith(whole.promptTokens - 1);
    const less = await promptOf(record, { config: short, library, counter });
    expect(less.docsDropped).toEqual(['d2']);
  });

  it('must be given where settings want it', async () => {
    await expect(promptOf(record, { config: configWith(1000), library })).rejects.toThrow(
      /no counter is given/,
    );
  });
});
