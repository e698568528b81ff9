import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient, LlmFailure, mergeShards } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { expectedReading } from './__fixtures__/expected-reading.js';
import { recordWith, smallBenchmark } from './__fixtures__/small-benchmark.js';
import { loongConfig } from './config.js';
import { evaluateScores } from './evaluate.js';
import { promptOf } from './answer-record.js';
import { generateAnswers } from './generate.js';
import { judgeAnswers } from './judge.js';
import { namedLibrary } from './library.js';
import { planAnswers } from './plan.js';
import { readAnswers, readJudgements } from './read-run.js';
import { scoreRecords } from './scored-record.js';
import {
  createRuleJudge,
  createTableReader,
  orderAsked,
  overlapScore,
} from './synthetic/scripted-reader.js';

const { config } = resolveConfig(loongConfig, { set: ['evaluation.resamples=200'] });
const linesOf = (dir: string) => readFileSync(join(dir, 'predictions.jsonl'), 'utf8');

describe('a run with a scripted reader of few tokens', () => {
  it('gets 100 below its window and beyond it what the documents that it sees give', async () => {
    const { records, library } = await smallBenchmark({ perGroup: 8 });
    const windowTokens = 2300;
    const dir = join(temporaryFolder(), 'run');
    const client = createTableReader({ records, windowTokens });
    await generateAnswers({ records, library, client, config, out: dir });
    const answers = readAnswers(dir);
    const judged = join(dir, 'judged-by-scripted-judge');
    const asked = records.map((record) => ({
      ...{ id: record.id, record, response: answers.get(record.id)!.output!.response },
    }));
    await judgeAnswers({ answers: asked, client: createRuleJudge(), config, out: judged });
    const judgements = readJudgements(judged);
    const scored = await scoreRecords({ records, answers, judgements });
    let [below, beyond] = [0, 0];
    for (const { record, score, answer, response } of scored) {
      const { docsUsed } = answers.get(record.id)!.output!;
      const expected = await expectedReading(record, docsUsed, { library, windowTokens });
      expect(JSON.parse(response)).toEqual(expected.answer);
      const isOrdered = orderAsked.test(record.question);
      const gold = JSON.stringify(record.answer);
      expect(score).toBe(overlapScore(gold, JSON.stringify(expected.answer), isOrdered));
      if (expected.sawAll) {
        below += 1;
        expect(score).toBe(100);
      } else if (score! < 100) beyond += 1;
      expect(answer!.docsDropped).toEqual([]);
    }
    expect([below > 30, beyond > 10]).toEqual([true, true]);
    const [first, second] = evaluateScores(scored, { resamples: 200 }).bySet;
    expect(first!.averageScore!.value).toBe(100);
    expect(second!.averageScore!.value).toBeLessThan(95);
  });

  it('spends what its plan says, to the token', async () => {
    const { records, library } = await smallBenchmark();
    const client = createTableReader({ records, windowTokens: 1e6 });
    const plan = await planAnswers({ records, config, client, documents: { library } });
    const out = join(temporaryFolder(), 'run');
    const { usage } = await generateAnswers({ records, library, client, config, out });
    expect(plan.calls).toBe(records.length);
    expect(usage.promptTokens).toBe(plan.promptTokens);
    const finished = new Set(readAnswers(out).keys());
    const later = await planAnswers({ records, config, client, documents: { library }, finished });
    expect(later).toMatchObject({ calls: 0, promptTokens: 0, finished: records.length });
  });

  it('asks the same in shards as at once, and ends with the same bytes', async () => {
    const { records, library } = await smallBenchmark();
    const client = createTableReader({ records, windowTokens: 1000 });
    const folder = temporaryFolder();
    const whole = join(folder, 'whole');
    await generateAnswers({ records, library, client, config, out: whole });
    const shards = join(folder, 'shards');
    for (const index of [0, 1, 2]) {
      const shard = { index, count: 3 };
      await generateAnswers({ records, library, client, config, out: shards, shard });
    }
    async function* rows() {
      yield* records;
    }
    await mergeShards({ folders: [shards], rows: rows(), out: join(folder, 'merged') });
    expect(linesOf(join(folder, 'merged'))).toBe(linesOf(whole));
    const filtered = records.slice(3, 9);
    const part = join(folder, 'part');
    await generateAnswers({ records: filtered, library, client, config, out: part });
    const lines = linesOf(whole).split('\n').slice(3, 9);
    expect(linesOf(part)).toBe(`${lines.join('\n')}\n`);
  });
});

const documents = [1, 2, 3].map((index) => ({
  ...{ name: `d${index}`, title: `d${index}`, text: 'word '.repeat(100 * index) },
}));
const library = namedLibrary('memory', documents);
const record = recordWith({ doc: ['d1', 'd2', 'd3'], question: 'q' });

describe('generateAnswers', () => {
  const out = () => join(temporaryFolder(), 'run');

  it('asks with a smaller window when a server says that a prompt is too long', async () => {
    const client = createScriptedClient({
      answer: ({ messages }) => {
        if (messages[0]!.content.length < 2500) return 'fine';
        throw new LlmFailure('too long', {
          kind: 'context-length',
          isRetryable: false,
          attempts: 1,
        });
      },
    });
    const set = ['window.maxLength=700', 'window.reserveOutput=0', 'window.slack=0'];
    const { config: narrow } = resolveConfig(loongConfig, { set: [...set, 'window.shrink=0.25'] });
    const dir = out();
    await generateAnswers({ records: [record], library, client, config: narrow, out: dir });
    const { output, status } = readAnswers(dir).get('a')!;
    expect(status).toBe('ok');
    expect(output).toMatchObject({ response: 'fine', maxLength: 525 });
    expect(output!.docsDropped).toHaveLength(1);
  });

  it('asks nothing where no document fits, and says so', async () => {
    const client = createScriptedClient({ answer: () => 'never' });
    const { config: tiny } = resolveConfig(loongConfig, {
      set: ['window.maxLength=256', 'window.reserveOutput=200'],
    });
    const dir = out();
    const { usage } = await generateAnswers({
      ...{ records: [record], library, client, config: tiny, out: dir },
    });
    expect(usage.promptTokens).toBe(0);
    const answers = readAnswers(dir);
    expect(answers.get('a')).toMatchObject({ status: 'no-docs-fit', output: { response: '' } });
    const [scored] = await scoreRecords({ records: [record], answers, judgements: null });
    expect(scored).toMatchObject({ score: null, missing: 'no-docs-fit' });
  });

  it('refuses to begin without a document, and asks by heart without any', async () => {
    const client = createScriptedClient({ answer: ({ messages }) => messages[0]!.content });
    const lost = { ...record, doc: ['d1', 'd9'] };
    const dir = out();
    await expect(
      generateAnswers({ records: [lost], library, client, config, out: dir }),
    ).rejects.toThrow(/a document is missing:\n.*d9/);
    const { config: closed } = resolveConfig(loongConfig, { set: ['assembly.closedBook=true'] });
    await generateAnswers({ records: [lost], library, client, config: closed, out: dir });
    expect(readAnswers(dir).get('a')?.output).toMatchObject({ response: 'q', docsUsed: [] });
  });

  it('keeps answers that were cut, and puts the prompt into no line', async () => {
    const client = createScriptedClient({ answer: () => ({ text: 'half', finish: 'length' }) });
    const dir = out();
    await generateAnswers({ records: [record], library, client, config, out: dir });
    expect(readAnswers(dir).get('a')).toMatchObject({ status: 'length' });
    expect(linesOf(dir)).not.toContain('word word');
    const { prompt } = await promptOf(record, { config, library });
    expect(prompt).toContain('word word');
  });
});

describe('answers that were cut', () => {
  const cutAfter = (parts: readonly string[]) => {
    const asked: (string | undefined)[] = [];
    const client = createScriptedClient({
      answer: ({ messages }) => {
        const at = asked.push(messages[1]?.content) - 1;
        return { text: parts[at] ?? '', finish: at < parts.length - 1 ? 'length' : 'stop' };
      },
    });
    return { client, asked };
  };
  const answerWith = async (continuations: number, parts: readonly string[]) => {
    const { client, asked } = cutAfter(parts);
    const { config: own } = resolveConfig(loongConfig, {
      set: [`generation.continuations=${continuations}`],
    });
    const dir = join(temporaryFolder(), 'run');
    await generateAnswers({ records: [record], library, client, config: own, out: dir });
    return { asked, row: readAnswers(dir).get('a')! };
  };

  it('are gone on with to their end, and put together', async () => {
    const { row, asked } = await answerWith(5, ['one, ', 'two, ', 'three']);
    expect(asked).toEqual([undefined, 'one, ', 'one, two, ']);
    expect(row).toMatchObject({
      status: 'ok',
      output: { response: 'one, two, three', finishReason: 'stop', continuations: 2 },
    });
  });

  it('stay cut after so many times, and are never gone on with by default', async () => {
    const once = await answerWith(1, ['one, ', 'two, ', 'three']);
    expect(once.row).toMatchObject({ status: 'length', output: { response: 'one, two, ' } });
    const never = await answerWith(0, ['one, ', 'two']);
    expect([never.asked, never.row.output!.response]).toEqual([[undefined], 'one, ']);
    expect('continuations' in never.row.output!).toBe(false);
  });

  it('stand as they are where there is no room to go on', async () => {
    const client = createScriptedClient({
      answer: ({ messages }) => {
        if (messages.length === 1) return { text: 'half', finish: 'length' };
        throw new LlmFailure('full', {
          ...{ kind: 'context-length', isRetryable: false, attempts: 1 },
        });
      },
    });
    const { config: own } = resolveConfig(loongConfig, { set: ['generation.continuations=3'] });
    const dir = join(temporaryFolder(), 'run');
    await generateAnswers({ records: [record], library, client, config: own, out: dir });
    expect(readAnswers(dir).get('a')).toMatchObject({
      ...{ status: 'length', output: { response: 'half', maxLength: 128_000 } },
    });
  });
});
