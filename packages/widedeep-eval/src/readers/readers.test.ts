import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collectDefects } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import { readFaireval } from './faireval.js';
import { readLlmbar } from './llmbar.js';
import { readLlmeval2 } from './llmeval2.js';
import { parseLabelMap } from './gold-label.js';
import { readOwnPairs } from './own-pairs.js';
import { readPandalm, readPandalmVerdicts } from './pandalm.js';
import { formatOf, readSamples } from './read-samples.js';
import { readStoredVerdicts, storedSamples } from './stored-verdicts.js';

function file(name: string, content: string | Buffer): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}
const lines = (...rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

describe('LLMEval^2', () => {
  const row = { query: 'q', response1: 'a', response2: 'b', human: 'model1', dataset: 'webgpt' };

  test('has a family for each data set, and ids for equal pairs', async () => {
    const path = file('bench.jsonl', lines(row, row, { ...row, human: 'TIE', dataset: 'bagel' }));
    const samples = await readLlmeval2(path);
    expect(samples.map(({ gold, family }) => [gold, family])).toEqual([
      ['1', 'qa'],
      ['1', 'qa'],
      ['tie', 'data-text'],
    ]);
    expect(new Set(samples.map(({ id }) => id)).size).toBe(3);
    expect(samples[0]!.id).toMatch(/^[0-9a-f]{16}$/);
    expect(await formatOf(path)).toBe('llmeval2');
  });

  test('names the line and what is near', async () => {
    const unknown = file('x.jsonl', lines(row, { ...row, dataset: 'webgbt' }));
    await expect(readLlmeval2(unknown)).rejects.toMatchObject({
      line: 2,
      help: 'did you mean webgpt?',
    });
    const label = file('x.jsonl', lines({ ...row, human: 'model3' }));
    await expect(readLlmeval2(label)).rejects.toThrow(
      /line 1: human "model3" is none of 1, 2, tie/,
    );
  });
});

describe('FairEval', () => {
  const folder = (human: string) => {
    const dir = temporaryFolder();
    const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
    write('question.jsonl', lines({ question_id: 1, text: 'q1' }, { question_id: 2, text: 'q2' }));
    for (const system of ['gpt35', 'vicuna-13b', 'third']) {
      const answer = (id: number) => ({ question_id: id, text: `${system} ${id}` });
      write(`answer_${system}.jsonl`, lines(answer(2), answer(1)));
    }
    write('review_gpt35_vicuna-13b_human.txt', human);
    return dir;
  };

  test('joins answers by question, and verdicts by line', async () => {
    const dir = folder('VICUNA13B\nTIE\n');
    const samples = await readFaireval(dir);
    expect(samples.map(({ answer1, answer2, gold }) => [answer1, answer2, gold])).toEqual([
      ['gpt35 1', 'vicuna-13b 1', '2'],
      ['gpt35 2', 'vicuna-13b 2', 'tie'],
    ]);
    expect(await formatOf(dir)).toBe('faireval');
  });

  test('each two of the systems named are compared; the order turns the verdicts', async () => {
    const systems = ['vicuna-13b', 'gpt35', 'third'];
    const samples = await readFaireval(folder('CHATGPT\nTIE\n'), { systems });
    expect(samples.map(({ id, gold }) => [id, gold])).toEqual([
      ['1:vicuna-13b:gpt35', '2'],
      ['2:vicuna-13b:gpt35', 'tie'],
      ['1:vicuna-13b:third', null],
      ['2:vicuna-13b:third', null],
      ['1:gpt35:third', null],
      ['2:gpt35:third', null],
    ]);
  });

  test('fewer verdicts than questions, and unknown systems, are errors', async () => {
    await expect(readFaireval(folder('TIE\n'))).rejects.toThrow(/1 verdicts for 2 questions/);
    await expect(readFaireval(folder('TIE\nCLAUDE\n'))).rejects.toThrow(/line 2: "CLAUDE"/);
    const systems = ['gpt35', 'none'];
    await expect(readFaireval(folder('TIE\nTIE\n'), { systems })).rejects.toThrow(/answer_none/);
  });
});

describe('PandaLM', () => {
  const item = {
    ...{ idx: 7, cmp_key: 'bloom-7b_llama-7b', instruction: 'i', input: 'x' },
    ...{ response1: 'a', response2: 'b', annotator1: 2, annotator2: 0, annotator3: 2 },
  };

  test('the majority of annotators is gold, without one it is a tie', async () => {
    const split = { ...item, idx: 8, input: '', annotator3: 1 };
    const path = file('t.json.gz', gzipSync(JSON.stringify([item, split])));
    const samples = await readPandalm(path);
    expect(samples[0]).toMatchObject({
      ...{ id: '7', question: 'i\n\nx', gold: '2', annotators: ['2', 'tie', '2'] },
      ...{ system1: 'bloom-7b', system2: 'llama-7b' },
    });
    expect(samples[1]).toMatchObject({ question: 'i', gold: 'tie' });
    expect(await formatOf(path)).toBe('pandalm');
  });

  test('stored verdicts: garbage is none', async () => {
    const path = file(
      'v.json',
      JSON.stringify([
        { idx: 7, gpt_result: 'garbage' },
        { idx: 8, gpt_result: 'Tie' },
      ]),
    );
    expect(await readPandalmVerdicts(path)).toEqual([
      { id: '7', verdict: null },
      { id: '8', verdict: 'tie' },
    ]);
  });

  test('an item without an annotator is an error with its number', async () => {
    const path = file('t.json', JSON.stringify([item, { ...item, annotator2: undefined }]));
    await expect(readPandalm(path)).rejects.toThrow(/item 2: annotator2 has no label/);
  });
});

test('LLMBar: a folder of files, each a data set', async () => {
  const dir = temporaryFolder();
  const item = { input: 'i', output_1: 'a', output_2: 'b', label: 2 };
  writeFileSync(join(dir, 'Natural.json'), JSON.stringify([item, item]));
  writeFileSync(join(dir, 'Manual.json.gz'), gzipSync(JSON.stringify([{ ...item, label: 1 }])));
  const samples = await readLlmbar(dir);
  expect(samples.map(({ dataset, gold }) => [dataset, gold])).toEqual([
    ['Manual', '1'],
    ['Natural', '2'],
    ['Natural', '2'],
  ]);
  expect(new Set(samples.map(({ id }) => id)).size).toBe(3);
  expect(await formatOf(dir)).toBe('llmbar');
  expect(await formatOf(join(dir, 'Natural.json'))).toBe('llmbar');
});

describe('own pairs', () => {
  test('JSON lines under usual names, without ids and questions', async () => {
    const path = file(
      'mine.jsonl',
      lines({ answer1: 'a', answer2: 'b' }, { answer1: 'c', answer2: '' }),
    );
    const samples = await readOwnPairs(path);
    expect(samples).toMatchObject([
      { dataset: 'mine', family: 'qa', question: '', gold: null },
      { answer2: '' },
    ]);
    expect(samples[0]!.id).toHaveLength(16);
    expect(await formatOf(path)).toBe('pairs');
  });

  test('CSV under other names, labels of its own', async () => {
    const text = 'Nr,Frage,links,rechts,Urteil\n1,"Was, wie?",a,b,besser\n2,q,c,d,\n';
    const samples = await readOwnPairs(file('mine.csv', text), {
      fields: { id: 'Nr', question: 'Frage', a: 'links', b: 'rechts', gold: 'Urteil' },
      labels: parseLabelMap('besser=1'),
      family: 'summary',
    });
    expect(samples[0]).toMatchObject({
      id: '1',
      question: 'Was, wie?',
      gold: '1',
      family: 'summary',
    });
    expect(samples[1]!.gold).toBeNull();
  });

  test('headings in any case and spelling, and a JSON list', async () => {
    const text =
      'Prompt,Answer A,Answer_B,Winner,Model A,Model B\n' +
      'q,x,y,Answer A,m,n\nq,y,z,model_b,m,n\nq,z,x,Tie,m,n\n';
    const samples = await readOwnPairs(file('odd.csv', text));
    expect(samples.map(({ gold }) => gold)).toEqual(['1', '2', 'tie']);
    expect(samples[0]).toMatchObject({
      ...{ question: 'q', answer1: 'x', answer2: 'y', system1: 'm', system2: 'n' },
    });
    const list = file('list.json', JSON.stringify([{ answer1: 'a', answer2: 'b' }, { a: 'c' }]));
    expect(await formatOf(list)).toBe('pairs');
    await expect(readSamples({ data: list })).rejects.toThrow(/item 2: answer1 is missing/);
  });

  test('what is missing or unknown is said with line and help', async () => {
    const csv = file('x.csv', 'question,left,right\nq,a,b\n');
    await expect(readOwnPairs(csv)).rejects.toThrow(/no field is known as answer a and answer b/);
    await expect(readOwnPairs(csv, { fields: { a: 'lefd' } })).rejects.toMatchObject({
      help: 'did you mean left?',
    });
    const row = { question: 'q', answer1: 'a', answer2: 'b', gold: 'first of all' };
    await expect(readOwnPairs(file('x.jsonl', lines(row)))).rejects.toThrow(
      /line 1: gold "first of all"/,
    );
    await expect(
      readOwnPairs(file('y.jsonl', lines({ answer1: 'a', answer2: 'b' }, { answer1: 'c' }))),
    ).rejects.toThrow(/line 2: answer2 is missing/);
    expect(() => parseLabelMap('x=3')).toThrow(/names no verdict/);
  });

  test('all defects at once', async () => {
    const path = file(
      'x.jsonl',
      `${lines({ answer1: 'a', answer2: 'b' })}\nno json\n[1]\n{"answer1":"c"}\n`,
    );
    const collected = collectDefects();
    const samples = await readSamples({ data: path, onDefect: collected.onDefect });
    expect([samples.length, collected.count]).toEqual([1, 3]);
    expect(collected.defects.map(({ line }) => line)).toEqual([2, 3, 4]);
  });

  test('ids that occur twice are an error unless one is kept', async () => {
    const row = { id: 'x', answer1: 'a', answer2: 'b' };
    const data = file('x.jsonl', lines(row, { ...row, answer1: 'c' }));
    await expect(readSamples({ data })).rejects.toThrow(/"x" occurs 2 times \(samples 1, 2\)/);
    const kept = async (dedupe: 'first' | 'last') =>
      (await readSamples({ data, dedupe }))[0]!.answer1;
    expect([await kept('first'), await kept('last')]).toEqual(['a', 'c']);
  });

  test('a missing or empty file is an error', async () => {
    await expect(readSamples({ data: '/nowhere/x.csv' })).rejects.toThrow(/no such file/);
    await expect(readSamples({ data: file('e.jsonl', '\n') })).rejects.toThrow(/has no pairs/);
  });
});

test('stored verdicts join pairs by id', async () => {
  const samples = await readOwnPairs(
    file(
      'p.jsonl',
      lines(
        { id: 'x', answer1: 'a', answer2: 'b', gold: '1' },
        { id: 'y', answer1: 'c', answer2: 'd' },
      ),
    ),
  );
  const path = file('v.csv', 'id,verdict\nx,model1\n');
  const found = storedSamples(samples, await readStoredVerdicts(path), path);
  expect(found.map(({ verdict, status }) => [verdict, status])).toEqual([
    ['1', 'ok'],
    [null, 'unparsed'],
  ]);
  const other = file('w.csv', 'id,verdict\nz,1\n');
  expect(() => storedSamples(samples, [{ id: 'z', verdict: '1' }], other)).toThrow(
    /none of its 1 ids/,
  );
  await expect(readStoredVerdicts(file('u.csv', 'id,score\nx,1\n'))).rejects.toThrow(
    /lacks a verdict/,
  );
});
