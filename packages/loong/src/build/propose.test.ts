import { createScriptedClient, LlmFailure } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { makeQuestions } from './make-questions.js';
import { proposeFacts } from './propose.js';
import type { OwnDocument } from './read-documents.js';
import { proposeTextQuestions } from './text-questions.js';

const years = ['2021', '2022', '2023', '2024'];
const documents: OwnDocument[] = years.map((year, at) => ({
  ...{ name: `report ${year}`, title: `Report ${year}`, type: 'own', language: 'en' },
  text: `Acme had ${10 + at} offices in ${year}.`,
}));

/** What a model finds in a document of {@link documents}. */
function factsIn(prompt: string, entity: string | null): string {
  const [quote, value, period] = /Acme had (\d+) offices in (\d+)\./.exec(prompt) ?? [];
  const fact = { quote, attribute: 'Offices', value, unit: '', entity, period };
  return JSON.stringify({ facts: [fact] });
}

const failure = (kind: 'context-length' | 'content-filter' | 'refusal' | 'truncated' | 'server') =>
  new LlmFailure(`It ends with ${kind}.`, { kind, isRetryable: false, attempts: 1 });

describe('proposeFacts', () => {
  it('has the model name the entity, so that its values over time make a trend', async () => {
    const prompts: string[] = [];
    const client = createScriptedClient({
      answer: ({ messages }) => {
        prompts.push(messages[0]!.content);
        return factsIn(messages[0]!.content, ' Acme ');
      },
    });
    const facts = await proposeFacts(documents, { client });
    expect(facts).toHaveLength(4);
    expect(facts[0]).toMatchObject({ entity: 'Acme', period: '2021', value: 10 });
    expect(prompts[0]).not.toContain('are about');
    expect(prompts[1]).toContain('The documents before it are about: Acme.');
    const { records } = await makeQuestions({ documents, facts, lengths: [5000], perCell: 1 });
    const trend = records.find(({ subtask }) => subtask === 'temporal-analysis')!;
    expect(trend.question).toContain('"Acme: Offices" develop from 2021 to 2024');
    expect(trend.answer).toEqual({ 2021: 10, 2022: 11, 2023: 12, 2024: 13, trend: 'rising' });
  });

  it('leaves an entity out that the model does not name', async () => {
    const client = createScriptedClient({
      answer: ({ messages }) => factsIn(messages[0]!.content, null),
    });
    const [first] = await proposeFacts(documents, { client });
    expect(first).toMatchObject({ doc: 'report 2021', period: '2021' });
    expect(first).not.toHaveProperty('entity');
  });

  it('names documents for which the model gives nothing, and goes on', async () => {
    const kinds = ['context-length', 'content-filter', 'refusal', 'truncated'] as const;
    for (const kind of kinds) {
      const client = createScriptedClient({
        answer: ({ messages }) => {
          if (messages[0]!.content.includes('in 2022')) throw failure(kind);
          return factsIn(messages[0]!.content, 'Acme');
        },
      });
      const failed: string[] = [];
      const facts = await proposeFacts(documents, {
        client,
        onFailure: (document, { kind: why }) => failed.push(`${document}: ${why}`),
      });
      expect(facts.map(({ period }) => period)).toEqual(['2021', '2023', '2024']);
      expect(failed).toEqual([`report 2022: ${kind}`]);
    }
  });

  it('ends where the server fails', async () => {
    const client = createScriptedClient({
      answer: () => {
        throw failure('server');
      },
    });
    await expect(proposeFacts(documents, { client })).rejects.toThrow('It ends with server.');
  });
});

describe('proposeTextQuestions', () => {
  it('names documents that bring nothing, and ends where the server fails', async () => {
    let calls = 0;
    const failing = (kind: 'content-filter' | 'server') =>
      createScriptedClient({
        answer: () => {
          calls += 1;
          throw failure(kind);
        },
      });
    const failed: (readonly string[])[] = [];
    const onFailure = (names: readonly string[]) => failed.push(names);
    const client = failing('content-filter');
    expect(await proposeTextQuestions(documents, { client, count: 3, onFailure })).toEqual([]);
    expect([calls, failed.length]).toEqual([3, 3]);
    for (const names of failed) {
      expect(names.length).toBeGreaterThanOrEqual(2);
      for (const name of names) expect(documents.map((one) => one.name)).toContain(name);
    }
    await expect(
      proposeTextQuestions(documents, { client: failing('server'), count: 3, onFailure }),
    ).rejects.toThrow('It ends with server.');
  });
});
