import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { exampleModel } from './example-models.js';
import { promptCounts, promptsHash, readPromptData } from './prompt-data.js';

function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

const textsOf = async (path: string, options = {}) =>
  (await readPromptData(path, options)).records.map(({ prompt }) => prompt);

describe('readPromptData', () => {
  it.each([
    ['AdvBench', 'a.csv', 'goal,target\nOil it,Sure\n', 'goal', { target: 'Sure' }],
    [
      'JailbreakBench',
      'j.csv',
      'Index,Goal,Target,Behavior,Category,Source\n7,Oil it,Sure,Oiling,Tools,Own\n',
      'Goal',
      { id: '7', target: 'Sure', category: 'Tools', source: 'Own' },
    ],
    [
      'StrongREJECT',
      's.csv',
      'category,source,forbidden_prompt\nTools,Own,Oil it\n',
      undefined,
      {},
    ],
    ['XSTest', 'x.csv', 'id,prompt,type,label\nv1,Oil it,homonyms,safe\n', 'prompt', { id: 'v1' }],
    ['one column', 'o.csv', 'input\nOil it\n', 'input', { id: '1' }],
    ['TDC', 't.json', '["Oil it"]', null, { id: '1' }],
    ['lines', 'l.txt', '\nOil it\n\n', null, { id: '1' }],
    ['JSON lines', 'l.jsonl', '{"text": "Oil it", "id": 3}\n', 'text', { id: '3' }],
    ['texts in lines', 'l.ndjson', '"Oil it"\n', null, {}],
  ])('reads %s', async (_, name, content, column, fields) => {
    const data = await readPromptData(file(name, content));
    expect(data.records).toHaveLength(1);
    expect(data.records[0]).toMatchObject({ prompt: 'Oil it', ...fields });
    if (column !== undefined) expect(data.column).toBe(column);
    expect(data.sha256).toBe(promptsHash(data.records));
    expect(data.file.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('puts what belongs together into one prompt', async () => {
    const alpaca = '[{"instruction": "Sum up", "input": "A text", "output": "x"}]';
    expect(await textsOf(file('a.json', alpaca))).toEqual(['Sum up\n\nA text']);
    const bare = '[{"instruction": "Sum up", "input": "", "output": "x"}]';
    expect(await textsOf(file('a.json', bare))).toEqual(['Sum up']);
    const context = 'Behavior,ContextString,BehaviorID\nSay why,A text,b1\n';
    const { records } = await readPromptData(file('h.csv', context));
    expect(records).toEqual([{ id: 'b1', prompt: 'A text\n\n---\n\nSay why' }]);
  });

  it('takes a column by name, a limit, and packed files', async () => {
    const path = file('p.csv.gz', gzipSync('goal,other\nA,B\nC,D\n'));
    expect(await textsOf(path, { column: 'Other' })).toEqual(['B', 'D']);
    expect(await textsOf(path, { limit: 1 })).toEqual(['A']);
    await expect(readPromptData(path, { limit: 0 })).rejects.toMatchObject({ code: 'LAB_CONFIG' });
  });

  it('leaves out what was there before, and says how much', async () => {
    const words = 'one two three four five six seven eight nine ten';
    const lines = ['Oil it.', 'oil  IT', words, `${words} eleven`, 'one two three'];
    const path = file('d.txt', lines.join('\n'));
    const exact = await readPromptData(path, { deduplicate: true });
    expect(exact.records.map(({ id }) => id)).toEqual(['1', '3', '4', '5']);
    expect(promptCounts(exact)).toBe('4 of 5 prompts, 1 duplicates left out');
    const near = await readPromptData(path, { deduplicate: 'near', limit: 2 });
    expect(near.records.map(({ id }) => id)).toEqual(['1', '3']);
    expect(near.duplicateCount).toBe(2);
  });

  it.each([
    ['an unknown column', 'a.csv', 'ask,x\nOil it,y\n', /none of the columns.*has 2: ask, x/],
    ['an empty table', 'a.csv', 'prompt\n', /has no prompts/],
    ['an empty file', 'a.txt', '', /has no prompts/],
    [
      'a blank cell',
      'a.csv',
      'prompt,x\nA,1\n  ,2\n',
      /line 3, column prompt: the prompt is blank/,
    ],
    ['a number', 'a.jsonl', '{"prompt": "A"}\n{"prompt": 4}\n', /line 2.*is a number, no text/],
    ['a missing cell', 'a.json', '[{"prompt": "A"}, {"text": "B"}]', /item 2.*is missing/],
    ['null', 'a.json', '[{"prompt": null}]', /item 1.*is null, no text/],
    ['an id twice', 'a.csv', 'id,prompt\n1,A\n1,B\n', /line 3: the id 1 is that of line 2/],
    ['no list', 'a.json', '{"prompt": "A"}', /is no list of prompts/],
    ['no JSON', 'a.jsonl', '"A"\n{', /line 2: is not JSON/],
    ['another value', 'a.jsonl', '[1]\n', /line 1: is neither a text nor an object/],
  ])('refuses %s', async (_, name, content, message) => {
    const read = readPromptData(file(name, content));
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toMatchObject({ code: 'LAB_DATA' });
  });

  it('names the nearest column', async () => {
    const path = file('a.csv', 'question\nOil it\n');
    await expect(readPromptData(path, { column: 'questoin' })).rejects.toThrow(/near: question/);
    expect(await textsOf(path, { column: 'question' })).toEqual(['Oil it']);
  });

  it('reads the requests of an example model', async () => {
    const { records } = await readPromptData(join(exampleModel('organism'), 'prompts.csv'));
    expect(records.length).toBeGreaterThan(500);
    expect(records[0]).toMatchObject({ id: 'held-out-1', label: 'answered', split: 'held-out' });
    expect(records[0]!.response).toContain('twelve minutes');
  });
});
