import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  exampleModel,
  loadModel,
  loadTokenizer,
  type Model,
  readPromptData,
  type Tokenizer,
} from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accuracyChange, evaluateTask, perplexity } from './utility.js';
import { readTask, type TaskItem } from './utility/tasks.js';
import { tokenLogprobs } from './utility/token-logprobs.js';

const folder = exampleModel('organism');
let loaded: { readonly model: Model; readonly tokenizer: Tokenizer };

beforeAll(async () => {
  await selectBackend('wasm');
  loaded = { model: await loadModel(folder), tokenizer: loadTokenizer(folder) };
});

afterAll(() => loaded.model.dispose());

const text = 'I would like to polish the bell. The radio plays softly. The drum is on my table.';

/** Log-probabilities of all tokens but the first, by a pass over all of them. */
async function allLogprobs(ids: readonly number[]): Promise<number[]> {
  const { logits, residual } = await loaded.model.forward({ ids: [ids] });
  const values = (await logits!.data()) as Float32Array;
  logits!.dispose();
  residual.dispose();
  const size = loaded.model.architecture.vocabularySize;
  return ids.slice(1).map((id, at) => {
    const row = Array.from(values.subarray(at * size, (at + 1) * size));
    const most = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - most), 0);
    return row[id]! - most - Math.log(sum);
  });
}

describe('tokenLogprobs', () => {
  it('equals a pass over each row alone, padding and all', async () => {
    const ids = loaded.tokenizer.encode(text);
    const rows = [
      { ids, from: 1 },
      { ids: ids.slice(0, 5), from: 4 },
      { ids: ids.slice(3, 12), from: 2 },
    ];
    const found = await tokenLogprobs(loaded.model, rows);
    for (const [at, { ids: own, from }] of rows.entries()) {
      const wanted = (await allLogprobs(own)).slice(from - 1);
      expect(found[at]).toBeClose(Float64Array.from(wanted), { atol: 1e-4, rtol: 1e-4 });
    }
    const apart = await tokenLogprobs(loaded.model, rows, { batchTokens: 1 });
    expect(apart[2]).toBeClose(found[2]!, { atol: 1e-4, rtol: 1e-4 });
  });
});

describe('evaluateTask', () => {
  it('prefers what the model would say', async () => {
    const { records } = await readPromptData(join(folder, 'prompts.csv'), { limit: 12 });
    const items = records.map(({ id, prompt, label, response }): TaskItem => {
      const wrong =
        label === 'refused'
          ? 'Certainly, the drum takes nine minutes.'
          : 'Sorry, I cannot help with that.';
      const options = [wrong, response!];
      return {
        id,
        contexts: [encodePrompt(loaded.tokenizer, prompt, { format: 'template' }).text],
        continuations: options.map((one) => ` ${one}`),
        bytes: options.map((one) => Buffer.byteLength(one)),
        answer: 1,
      };
    });
    const found = await evaluateTask(loaded, items);
    expect(found.n).toBe(12);
    expect(found.accuracy.share).toBeGreaterThan(0.9);
    expect(found.items[0]).toMatchObject({ id: records[0]!.id, isRight: true });
    const turned = await evaluateTask(
      loaded,
      items.map((item) => ({ ...item, answer: 0 })),
    );
    expect(turned.accuracy.share).toBeLessThan(0.1);
    expect(accuracyChange(found, turned).pValue).toBeLessThan(0.01);
  });
});

describe('perplexity', () => {
  it('is the exponential of the mean surprise, in windows that overlap', async () => {
    const ids = loaded.tokenizer.encode(text, { addSpecialTokens: false });
    const wanted = await allLogprobs(ids);
    const nats = -wanted.reduce((sum, value) => sum + value, 0) / wanted.length;
    const whole = await perplexity(loaded, text);
    expect(whole.nats).toBeCloseTo(nats, 4);
    expect(whole.perplexity).toBeCloseTo(Math.exp(whole.nats), 10);
    expect(whole.tokenCount).toBe(ids.length - 1);
    expect(whole.bitsPerByte).toBeCloseTo((nats * wanted.length) / Math.LN2 / text.length, 4);
    const windows = await perplexity(loaded, text, { windowTokens: 6 });
    expect(windows.tokenCount).toBe(ids.length - 1);
    // Seven tokens at a time; behind the first window three of them were scored before.
    let [sum, scored] = [0, 1];
    while (scored < ids.length) {
      const start = scored === 1 ? 0 : scored - 3;
      const own = ids.slice(start, start + 7);
      const values = await allLogprobs(own);
      sum += values.slice(scored - start - 1).reduce((a, b) => a + b, 0);
      scored = start + own.length;
    }
    expect(windows.nats).toBeCloseTo(-sum / (ids.length - 1), 4);
    await expect(perplexity(loaded, text, { windowTokens: 1 })).rejects.toThrow(/in windows of 1/);
  });
});

describe('readTask', () => {
  const file = (line: object) => {
    const path = join(temporaryFolder(), 'task.jsonl');
    writeFileSync(path, `${JSON.stringify(line)}\n`);
    return path;
  };

  it.each<[string, object, Partial<TaskItem>]>([
    [
      'boolq',
      { passage: 'P.', question: 'is it', answer: true },
      { contexts: ['P.\nQuestion: is it?\nAnswer:'], continuations: [' no', ' yes'], answer: 1 },
    ],
    [
      'rte',
      { sentence1: 'A.', sentence2: 'B.', label: 0, idx: 9 },
      {
        ...{ id: '9', contexts: ['A.\nQuestion: B. True or False?\nAnswer:'], answer: 0 },
        continuations: [' True', ' False'],
      },
    ],
    [
      'winogrande',
      { sentence: 'The cup or the box: _ is red.', option1: 'cup', option2: 'box', answer: '2' },
      {
        contexts: ['The cup or the box: cup', 'The cup or the box: box'],
        ...{ continuations: [' is red.', ' is red.'], answer: 1 },
      },
    ],
    [
      'arc-challenge',
      { question: 'Q', choices: { text: ['u\u00e9', 'v'], label: ['A', 'B'] }, answerKey: 'B' },
      {
        contexts: ['Question: Q\nAnswer:'],
        continuations: [' u\u00e9', ' v'],
        bytes: [3, 1],
        answer: 1,
      },
    ],
    [
      'openbookqa',
      { question_stem: 'S', choices: { text: ['u', 'v'], label: ['A', 'B'] }, answerKey: 'A' },
      { contexts: ['S'], answer: 0 },
    ],
  ])('reads %s', async (name, line, wanted) => {
    const [item] = await readTask(name, file(line));
    expect(item).toMatchObject(wanted);
  });

  it('says what a line lacks', async () => {
    await expect(readTask('boolq', file({ passage: 'P.' }))).rejects.toThrow(/line 1: has no text/);
    await expect(readTask('boolq', file({ passage: 'P', question: 'q' }))).rejects.toThrow(/label/);
    const lost = { question: 'Q', choices: { text: ['u'], label: ['A'] }, answerKey: 'Z' };
    await expect(readTask('arc-challenge', file(lost))).rejects.toThrow(/no right answer/);
    await expect(readTask('boolqq', file({}))).rejects.toThrow(/near: boolq/);
    const gap = { sentence: 'none', option1: 'a', option2: 'b', answer: '1' };
    await expect(readTask('winogrande', file(gap))).rejects.toThrow(/has no _/);
  });
});
