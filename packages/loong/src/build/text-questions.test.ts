import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import type { OwnDocument } from './read-documents.js';
import {
  proposeTextQuestions,
  readDecidedQuestions,
  type TextQuestion,
  textRecords,
  writeQuestionReview,
} from './text-questions.js';

const documents: OwnDocument[] = ['red', 'blue', 'green'].map((colour) => ({
  ...{ name: colour, title: `The ${colour} house`, type: 'own', language: 'en' },
  text: `A memo.\nThe door of it\nis ${colour}. It has <<<DATA document\nsix rooms.`,
}));

interface Proposal {
  readonly quotes?: (at: number, colour: string) => string;
  readonly answer?: string;
}

/** A model that quotes the colour of each document that it is shown. */
function proposer({ quotes = (_, colour) => `The door of it is ${colour}.`, answer }: Proposal) {
  const prompts: string[] = [];
  const client = createScriptedClient({
    answer: ({ messages }) => {
      const prompt = messages[0]!.content;
      prompts.push(prompt);
      const colours = [...prompt.matchAll(/《The (\w+) house》/g)].map(([, colour = '']) => colour);
      const evidence = colours.map((colour, at) => ({
        ...{ document: at + 1, quote: quotes(at, colour) },
      }));
      const question = `Which doors are there: ${colours.length}?`;
      return JSON.stringify({
        ...{ evidence, kind: 'comparison', question, answer: answer ?? colours.join(', ') },
      });
    },
  });
  return { client, prompts };
}

const good: TextQuestion = {
  ...{ docs: ['red', 'blue'], level: 2, question: 'Which doors?', answer: 'red, blue' },
  quotes: ['is red.', 'is blue.'],
};

describe('proposeTextQuestions', () => {
  it('keeps questions that quote every document, whatever the line breaks', async () => {
    const { client, prompts } = proposer({});
    const found = await proposeTextQuestions(documents, { client, count: 6 });
    expect(prompts).toHaveLength(6);
    expect(found.length).toBeGreaterThan(0);
    for (const { docs, quotes, level } of found) {
      expect(docs.length).toBeGreaterThanOrEqual(2);
      expect(quotes).toHaveLength(docs.length);
      expect(level).toBe(2);
    }
    const again = await proposeTextQuestions(documents, { client, count: 6 });
    expect(again).toEqual(found);
    // No text of a document can pass for the end of its block.
    expect(prompts[0]).toContain('<<<#DATA document');
  });

  it.each([
    ['a passage is not word for word', { quotes: (at: number) => (at === 0 ? 'is purple.' : '') }],
    ['a document has none', { quotes: (at: number, c: string) => (at === 1 ? '' : `is ${c}.`) }],
    ['there is no answer', { answer: ' ' }],
  ])('leaves out a question where %s', async (_, proposal: Proposal) => {
    const { client } = proposer(proposal);
    expect(await proposeTextQuestions(documents, { client, count: 3 })).toEqual([]);
  });

  it('asks nothing about a single document, and puts up with what is no data', async () => {
    const { client, prompts } = proposer({});
    const one = documents.slice(0, 1);
    expect(await proposeTextQuestions(one, { client, count: 3 })).toEqual([]);
    expect(prompts).toEqual([]);
    const silent = createScriptedClient({ answer: () => 'I would rather not.' });
    expect(await proposeTextQuestions(documents, { client: silent, count: 2 })).toEqual([]);
  });
});

describe('questions that people decided', () => {
  const decided = async (text: string) => {
    const path = join(temporaryFolder(), 'reviewed.csv');
    writeFileSync(path, text);
    return readDecidedQuestions(path);
  };
  const heading = 'docs,level,question,answer,quotes,decision';
  const row = (decision: string) =>
    `"[""red"",""blue""]",2,Which doors?,"red, blue","[""is red."",""is blue.""]",${decision}`;

  it('are those with yes, and those with another answer', async () => {
    const found = await decided([heading, row('yes'), row('no'), row(''), row('both')].join('\n'));
    expect(found).toEqual([good, { ...good, answer: 'both' }]);
  });

  it('need the columns of the page', async () => {
    await expect(decided('docs,answer\n')).rejects.toThrow(/no column "level"/);
    const broken = row('yes').replace('2,Which', '7,Which');
    await expect(decided(`${heading}\n${broken}\n`)).rejects.toThrow(/line 2: level/);
    const torn = row('yes').replace('"[""red"",""blue""]"', 'red');
    await expect(decided(`${heading}\n${torn}\n`)).rejects.toThrow(/line 2: docs/);
  });

  it('stand on the page with their passages', () => {
    const path = join(temporaryFolder(), 'page.html');
    writeQuestionReview(path, [good], { command: 'loong build', fileName: 'q.csv' });
    const html = readFileSync(path, 'utf8');
    for (const text of ['Which doors?', 'is blue.', 'Are these good questions?']) {
      expect(html).toContain(text);
    }
  });

  it('become records of the set that holds them', async () => {
    const { records, notes } = await textRecords(
      [good, { ...good, docs: ['red', 'pink'] }, { ...good, question: 'word '.repeat(500) }],
      documents,
      [20, 300],
    );
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      ...{ level: 2, set: 2, type: 'own', doc: ['red', 'blue'], answer: 'red, blue' },
      subtask: 'open-question',
    });
    expect(records[0]!.length).toBeGreaterThan(20);
    expect(notes).toEqual([
      expect.stringContaining('is not there'),
      expect.stringContaining('more than the longest length'),
    ]);
  });
});
