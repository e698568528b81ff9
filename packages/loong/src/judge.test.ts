import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient } from '@lab/llm';
import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { loongConfig } from './config.js';
import { judgeAnswers, judgePrompt } from './judge.js';
import { readJudgements } from './read-run.js';

const { config } = resolveConfig(loongConfig, { set: ['evaluation.resamples=200'] });
const record = recordWith({ doc: ['d1', 'd2', 'd3'], question: 'q' });

describe('judgeAnswers', () => {
  const answer = { id: 'a', record: { ...record, answer: 'gold [[1]]' }, response: 'said [[100]]' };
  const judge = async (
    replies: readonly string[],
    set: readonly string[] = [],
    response = 'said',
  ) => {
    let calls = 0;
    const client = createScriptedClient({ answer: () => replies[calls++] ?? 'no more' });
    const { config: own } = resolveConfig(loongConfig, { set: [...set] });
    const dir = join(temporaryFolder(), 'judged');
    await judgeAnswers({ answers: [{ ...answer, response }], client, config: own, out: dir });
    return { calls, ...readJudgements(dir).get('a')! };
  };

  it('asks again for a score, and then leaves it out', async () => {
    expect(await judge(['fine', '[[300]]', 'Rating: [[70]]'])).toMatchObject({
      ...{ calls: 3, status: 'ok', output: { score: 70, requests: 3 } },
    });
    expect(await judge(['a', 'b', 'c'])).toMatchObject({
      ...{ calls: 3, status: 'unparsed', output: { score: null, problem: 'no-score' } },
    });
    expect(await judge(['[[101]]'], ['judge.attempts=1'])).toMatchObject({
      output: { score: null, problem: 'out-of-range' },
    });
  });

  it('gives empty answers 0 without a call, unless told to ask', async () => {
    expect(await judge(['[[50]]'], [], ' ')).toMatchObject({ calls: 0, output: { score: 0 } });
    const asked = await judge(['[[50]]'], ['judge.judgeEmpty=true'], ' ');
    expect(asked).toMatchObject({ calls: 1, output: { score: 50 } });
  });

  it('takes data where that is wished', async () => {
    const found = await judge(['{"explanation": "x", "score": 88}'], ['judge.format=json']);
    expect(found).toMatchObject({ output: { score: 88, explanation: 'x' } });
  });

  it('asks again for data that is none, as often as for a score in words', async () => {
    const json = ['judge.format=json'];
    // Each time the client itself asks once more for what does not fit.
    const mended = await judge(['a', 'b', '{"explanation": "x", "score": 88}'], json);
    expect(mended).toMatchObject({ calls: 3, status: 'ok', output: { score: 88, requests: 2 } });
    const never = await judge(['a', 'b', 'c', 'd'], [...json, 'judge.attempts=2']);
    expect(never).toMatchObject({
      ...{ calls: 4, status: 'unparsed' },
      output: { score: null, problem: 'no-score', explanation: 'd', requests: 2 },
    });
  });

  it('is without a score where the data was cut each time, as where words were', async () => {
    const client = createScriptedClient({
      answer: () => ({ text: '{"explanation": "so lo', finish: 'length' }),
    });
    for (const format of ['json', 'text']) {
      const { config: own } = resolveConfig(loongConfig, { set: [`judge.format=${format}`] });
      const dir = join(temporaryFolder(), 'judged');
      await judgeAnswers({ answers: [answer], client, config: own, out: dir });
      expect(readJudgements(dir).get('a')).toMatchObject({
        ...{ status: 'unparsed', output: { score: null, problem: 'no-score', requests: 3 } },
      });
    }
  });

  it('goes on where more rows of its run were answered, and asks for those alone', async () => {
    const asked: string[] = [];
    const client = createScriptedClient({
      answer: ({ messages }) => {
        asked.push(/DATA answer\n(.*)\n/.exec(messages[0]!.content)?.[1] ?? '');
        return 'Rating: [[70]]';
      },
    });
    const dir = join(temporaryFolder(), 'judged');
    const answers = ['first', 'second', 'third'].map((response) => ({
      ...{ ...answer, id: response, response },
    }));
    const settings = { client, config, out: dir, resume: true };
    await judgeAnswers({ ...settings, answers: answers.slice(1, 2) });
    await judgeAnswers({ ...settings, answers });
    expect(asked).toEqual(['second', 'first', 'third']);
    expect([...readJudgements(dir).keys()]).toEqual(['first', 'second', 'third']);
    const changed = answers.map((one) => (one.id === 'first' ? { ...one, response: 'new' } : one));
    await expect(judgeAnswers({ ...settings, answers: changed })).rejects.toThrow(/"first" was/);
    expect(asked).toHaveLength(3);
  });

  it('shows question, gold answer and answer, each between marks, in its language', () => {
    const prompt = judgePrompt(answer);
    expect(prompt).toContain('<<<DATA gold\ngold [[1]]\nDATA gold>>>');
    expect(prompt).toContain('<<<DATA answer\nsaid [[100]]\nDATA answer>>>');
    expect(prompt).not.toContain('word word');
    const chinese = { ...answer, record: { ...answer.record, language: 'zh' as const } };
    expect(judgePrompt(chinese)).toContain('评分：[[分数]]');
  });
});
