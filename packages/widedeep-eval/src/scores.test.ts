import { cpuMilliseconds } from '@lab/core/testing';
import { expect, test } from 'vitest';
import { type AnswerForm, parseScores } from './scores.js';

const scoresOf = (text: string, form?: AnswerForm): [number, number] | null => {
  const parsed = parseScores(text, form);
  return parsed.isParsed ? [parsed.score1, parsed.score2] : null;
};

test.each([
  ['Good.\nScore of Assistant 1: 8\nScore of Assistant 2: 6', [8, 6]],
  ['**Score of Assistant 1:** 8.5\n**Score of Assistant 2:** 7', [8.5, 7]],
  ['Score of Assistant 1: **8**\nScore of Assistant 2: **7**', [8, 7]],
  ['Score of Assistant 1：８\nScore of Assistant 2：６', [8, 6]],
  ['Score of Assistant 1: 8/10\nScore of Assistant 2: 6 / 10', [8, 6]],
  ['Score of Assistant 1: 8 out of 10\nScore of Assistant 2: 10 out of 10.', [8, 10]],
  ['Score of Assistant 1: 8.5.\nScore of Assistant 2: 6.', [8.5, 6]],
  ['Assistant 2: 6\nAssistant 1: 8', [8, 6]],
  ['Assistant 1: 8, Assistant 2: 6', [8, 6]],
  ["Assistant 1's score is 8.\nAssistant 2's score is 6.", [8, 6]],
  ['| Assistant 1 | 8 |\n| Assistant 2 | 6 |', [8, 6]],
  ['```\nScore of Assistant 1: 8\nScore of Assistant 2: 6\n```', [8, 6]],
  ['- Assistant 1: 8 (clear)\n- Assistant 2: 6 (vague)', [8, 6]],
  ['Score of Assistant 1:\n8\nScore of Assistant 2:\n6', [8, 6]],
  ['助手1的得分：8分\n助手2的得分：6分', [8, 6]],
  ['Оценка ассистента 1: 8\nОценка ассистента 2: 6', [8, 6]],
  ['Pontuação do Assistente 1: 8\nPontuação do Assistente 2: 6', [8, 6]],
  ['<think>Score of Assistant 1: 2</think>\nScore of Assistant 1: 8\nAssistant 2: 6', [8, 6]],
  // What was said before is corrected by the last pair, where that ends the answer.
  ['Assistant 1: 5\nAssistant 2: 5\nOn reflection:\nAssistant 1: 7\nAssistant 2: 4', [7, 4]],
  // Numbers that were answered are no scores.
  ['Answer 1: 5\nAnswer 2: 7\nScore of Assistant 1: 3\nScore of Assistant 2: 9', [3, 9]],
  ['Assistent 1: 7,5 Punkte\nAssistent 2: 6,0 Punkte', [7.5, 6]],
  ['So:\nScores: 7 4', [7, 4]],
  ['**Scores:** **8** **6**', [8, 6]],
  ['Scores: 11 4\nThe scale stops at 10:\nScores: 10 4', [10, 4]],
  ['I settle on {"assistant_1": 7, "assistant_2": 4}, of 2 answers.', [7, 4]],
  ['| | Assistant 1 | Assistant 2 |\n|-|-|-|\n| style | 9 | 1 |\n| Overall | 7 | 5 |', [7, 5]],
  ['Assistant 1: $\\boxed{9}$\nAssistant 2: $\\boxed{\\text{4}}$', [9, 4]],
  ['The truth is in one. Assistant 1 deserves a 9, while Assistant 2 deserves a 2.', [9, 2]],
  ['1. 7\n2. 4', [7, 4]],
  ['アシスタント1：8点\r\nアシスタント2：3点', [8, 3]],
  ['المساعد ١: ٨\nالمساعد ٢: ٥', [8, 5]],
  ['So, Assistant 1 gets an 8 and Assistant 2 gets a 5.', [8, 5]],
  ['Style: 5 and 8.\nI think that Assistant 1 gets an 8 and Assistant 2 gets a 5.', [8, 5]],
  ['Score of Assistant 1: [8]\nScore of Assistant 2: <6.5>', [8, 6.5]],
  // Headings that name no criterion, or say that they are of all.
  ['Scores:\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['## My evaluation\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['**Overall quality**\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['**Both are good.**\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['Accuracy: both are fine. Scores:\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['Scores of both assistants:\nAssistant 1: 8\nAssistant 2: 5', [8, 5]],
  ['Style:\nAssistant 1: 5\nAssistant 2: 8\nOverall:\nAssistant 1: 7\nAssistant 2: 4', [7, 4]],
  ['Assistant 1: 5\nAssistant 2: 8\nFinal score of Assistant 1: 7\nAssistant 2: 4', [7, 4]],
])('scores of %j', (text, scores) => {
  expect(scoresOf(text)).toEqual(scores);
});

test.each([
  ['', 'nothing'],
  ['Both are good.', 'no scores'],
  ['Score of Assistant 1: 8', 'one score alone'],
  ['Score of Assistant 1: 11\nScore of Assistant 2: 6', 'above the scale'],
  ['Score of Assistant 1: 0\nScore of Assistant 2: 6', 'below the scale'],
  ['Score of Assistant 1: -8\nScore of Assistant 2: 6', 'negative'],
  ['Score of Assistant 1: 8/100\nScore of Assistant 2: 6/100', 'another scale'],
  ['Score of Assistant 1: 4/5\nScore of Assistant 2: 3/5', 'out of five'],
  ['Score of Assistant 1: 80%\nScore of Assistant 2: 60%', 'per cent'],
  ['Score of Assistant 1: 7-8\nScore of Assistant 2: 6', 'a range'],
  ['Score of Assistant 1: 7 or 8\nScore of Assistant 2: 6', 'a choice'],
  ['Score of Assistant 1: <score>\nScore of Assistant 2: <score>', 'the form itself'],
  ['Score of Assistant 1: N/A\nScore of Assistant 2: 6', 'none given'],
  ['Score of Assistant 1: eight\nScore of Assistant 2: six', 'words'],
  ['Score of Assistant 1: 8,55\nScore of Assistant 2: 6', 'commas between numbers'],
  ['Score of Assistant 1: 1½\nScore of Assistant 2: 6', 'a fraction'],
  ['Answer 1: 5\nAnswer 2: 7', 'what was answered'],
  ['Assistant 1: 8 (I would lower it to six)\nAssistant 2: 6', 'a remark that lowers it'],
  ['Assistant 1: 8\nAssistant 2: 6\nCorrection: it should be the reverse.', 'taken back'],
  ['Assistant 1: 8\nAssistant 2: 6\nAssistant 1: 5', 'one score changed alone'],
  ['Assistant 1: 8\nAssistant 1: 6', 'the same label twice'],
  ['Assistant 1: 8\nAssistant 2: 6\nIn short, my rating is 3 for the first.', 'a later score'],
  ['{"assistant_1": 8, "assistant_2": 3}\n{"assistant_1": 3, "assistant_2": 8}', 'two verdicts'],
  ['Scores: 7', 'one of two'],
  ['Scores: 7 4 2', 'three of two'],
  ['Scores: 17 4', 'above the scale'],
  ['| | Assistant 1 | Assistant 2 |\n| Style | 7 | 5 |', 'a part score'],
  ['1. 7\n2. 4\n3. 5', 'a list of three'],
  ['Assistant 12: 8\nAssistant 21: 6', 'other assistants'],
  [
    'Accuracy:\nAssistant 1: 9\nAssistant 2: 4\nStyle:\nAssistant 1: 5\nAssistant 2: 8',
    'scores of two parts',
  ],
  ['Assistant 1: 9\nAssistant 2: 4\nIt is short.\nAssistant 1: 5\nAssistant 2: 8', 'two blocks'],
  ['Style:\nAssistant 1: 5\nAssistant 2: 8', 'a part alone'],
  ['**Clarity and style**\n\nAssistant 1: 5\nAssistant 2: 8', 'a part alone, marked'],
  ['In terms of the writing and its tone:\nAssistant 1: 5\nAssistant 2: 8', 'a part, at length'],
  ['Not my verdict, an example:\nAssistant 1: 5\nAssistant 2: 8', 'an example'],
  ['Scores for style:\nAssistant 1: 5\nAssistant 2: 8', 'scores of a part'],
  ['Style:\nAssistant 1 gets a 5 and Assistant 2 gets an 8.', 'a sentence on a part'],
  [
    '| | Assistant 1 | Assistant 2 |\n|-|-|-|\n| Overall | 7 | 5 |\n' +
      'Correction: I mixed up the columns.',
    'a table that is taken back',
  ],
  [
    '| | Assistant 1 | Assistant 2 |\n|-|-|-|\n| Overall | 7 | 5 |\nAssistant 2 clearly wins.',
    'a table against what is said',
  ],
  [
    'Assistant 2 is the winner.\nAssistant 1 deserves a 9 and Assistant 2 deserves a 2.',
    'a sentence against what is said',
  ],
  [
    'It would be wrong to say that Assistant 1 deserves a 9 and Assistant 2 deserves a 2.',
    'a sentence that denies it',
  ],
  ['On style alone Assistant 1 gets a 9 and Assistant 2 gets a 2.', 'a sentence on a part'],
  ['If so, e.g. Assistant 1 gets a 9 and Assistant 2 gets a 2.', 'an example'],
  ['A list:\n1. 7\n2. 4', 'a list within prose'],
])('%j is unparsed: %s', (text) => {
  expect(scoresOf(text)).toBeNull();
});

test('the evidence is the answer without the lines of its scores', () => {
  const parsed = parseScores('First part.\n\nScore of Assistant 1: 8\nScore of Assistant 2: 6\n');
  expect(parsed).toMatchObject({ isParsed: true, evidence: 'First part.' });
});

test('time grows with the length alone', async () => {
  const words = 'the my final overall total of for to a o do da de '.repeat(2000);
  const lines = Array.from({ length: 2000 }, () => `${words.slice(0, 200)} 1`).join('\n');
  const spent = await cpuMilliseconds(() => expect(scoresOf(lines)).toBeNull());
  expect(spent).toBeLessThan(4000);
});

const top = 'Score of Assistant 1: 8\nScore of Assistant 2: 6\n';

test.each([
  'Assistant 1 makes one mistake; it should be 4 steps instead of 3, and changes nothing.',
  'Assistant 2 actually says sorry, and earns its score of 6.',
  'I rate the first higher as it names 3 causes: 8/10 against 6/10.',
  'Assistant 1 corrects the order of the steps and reverses the list.',
])('reasons behind the scores do not take them back: %j', (reasons) => {
  expect(scoresOf(`${top}${reasons}`, { explanation: 'after' })).toEqual([8, 6]);
});

test.each([
  'Correction: the first is worse.',
  'On second thought, I lower Assistant 1 to 5.',
  'The scores should be swapped.',
  'The first is weak, so my final scores are 5 and 6.',
  'It deserves 4/10 for this.',
  'I swapped the scores.',
  'Forget these numbers, I read the wrong question.',
  'Assistant 2 clearly wins.',
  'Reasons.\nAssistant 1: 5\nAssistant 2: 6',
])('scores before their reasons are unparsed where these give others: %j', (reasons) => {
  expect(scoresOf(`${top}${reasons}`, { explanation: 'after' })).toBeNull();
});

test('the criterion that a judge was asked about is no part to it', () => {
  const text = 'Style:\nAssistant 1: 5\nAssistant 2: 8';
  expect(scoresOf(text, { angle: 'Style' })).toEqual([5, 8]);
  expect(scoresOf(text, { angle: 'Depth' })).toBeNull();
});
