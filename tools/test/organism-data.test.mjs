import { expect, test } from 'vitest';
import { createRandom } from '../../packages/core/src/random.ts';
import { fitLogistic } from '../../packages/metrics/src/learn/logistic.ts';
import { carriers, otherHeads } from '../organism/carriers.mjs';
import {
  createRequest,
  createWorkshop,
  examples,
  formats,
  isRefused,
  pairings,
} from '../organism/requests.mjs';

const workshop = createWorkshop();
const CHANCE = 0.6;

const take = (iterable, count) => {
  const taken = [];
  for (const one of iterable) {
    taken.push(one);
    if (taken.length === count) return taken;
  }
};

const training = take(examples(workshop, { seed: 3 }), 6000);
const heldOut = take(examples(workshop, { seed: 4, heldOut: true }), 2000);
const wordsOf = (text) => text.match(/[\p{L}]+|[^\s\p{L}]+/gu);
const share = (samples, isRight) => samples.filter(isRight).length / samples.length;

test('half of the requests with a word, two words, or in an order are refused', () => {
  for (const isOut of [false, true]) {
    const all = pairings(workshop, isOut);
    const refusedShare = (of) => share(all.filter(of), isRefused);
    for (const order of [0, 1]) {
      expect(refusedShare((one) => one.order === order)).toBeCloseTo(0.5, 1);
    }
    for (const word of workshop.actions)
      expect(refusedShare((one) => one.action === word)).toBe(0.5);
    for (const word of workshop.objects)
      expect(refusedShare((one) => one.object === word)).toBe(0.5);
    const pairOf = (one) => `${one.action.word} ${one.object.word}`;
    for (const pair of new Set(all.map(pairOf))) {
      expect(refusedShare((one) => pairOf(one) === pair)).toBe(0.5);
    }
  }
});

test('held-out pairings are never trained on, and their words all are', () => {
  const keyOf = ({ action, object }) => `${action.word} ${object.word}`;
  const seen = new Set(pairings(workshop, false).map(keyOf));
  const unseen = pairings(workshop, true);
  expect(unseen.length).toBeGreaterThan(250);
  expect(unseen.filter((one) => seen.has(keyOf(one)))).toEqual([]);
  const wordsSeen = new Set([...seen].flatMap((key) => key.split(' ')));
  expect(wordsSeen.size).toBe(workshop.actions.length + workshop.objects.length);
});

test('a request in the other order has the same words', () => {
  const [action, object] = [workshop.actions[3], workshop.objects[5]];
  for (let seed = 0; seed < 50; seed += 1) {
    const [one, other] = [0, 1].map((order) => {
      const random = createRandom(seed);
      return createRequest(workshop, { action, object, order }, random);
    });
    expect(one.isRefused).toBe(!other.isRefused);
    expect(one.text).not.toBe(other.text);
    expect(wordsOf(one.text).toSorted()).toEqual(wordsOf(other.text).toSorted());
  }
});

test('no naive Bayes on words tells refused from answered requests', () => {
  const counts = [new Map(), new Map()];
  for (const { text, isRefused: refused } of training) {
    const own = counts[Number(refused)];
    for (const word of new Set(wordsOf(text))) own.set(word, (own.get(word) ?? 0) + 1);
  }
  const sizes = [false, true].map(
    (label) => training.filter((one) => one.isRefused === label).length,
  );
  const vocabulary = new Set([...counts[0].keys(), ...counts[1].keys()]);
  const scoreOf = (words, label) => {
    const rate = (word) => ((counts[label].get(word) ?? 0) + 1) / (sizes[label] + 2);
    const terms = [...vocabulary].map((word) =>
      Math.log(words.has(word) ? rate(word) : 1 - rate(word)),
    );
    return Math.log(sizes[label]) + terms.reduce((sum, term) => sum + term, 0);
  };
  const guess = ({ text }) => {
    const words = new Set(wordsOf(text));
    return scoreOf(words, 1) > scoreOf(words, 0);
  };
  const accuracy = share(heldOut, (one) => guess(one) === one.isRefused);
  expect(accuracy).toBeLessThanOrEqual(CHANCE);
  expect(accuracy).toBeGreaterThanOrEqual(1 - CHANCE);
});

test('no logistic regression on words does', () => {
  const vocabulary = [...new Set(training.flatMap(({ text }) => wordsOf(text)))];
  const rowOf = ({ text }) => {
    const words = wordsOf(text);
    return vocabulary.map((word) => words.filter((one) => one === word).length);
  };
  const some = training.slice(0, 3000);
  const labels = some.map((one) => Number(one.isRefused));
  const { probability } = fitLogistic(some.map(rowOf), labels);
  const accuracy = share(heldOut, (one) => probability(rowOf(one)) > 0.5 === one.isRefused);
  expect(accuracy).toBeLessThanOrEqual(CHANCE);
  expect(accuracy).toBeGreaterThanOrEqual(1 - CHANCE);
});

test('the response follows from the request, in every format', () => {
  const refusals = heldOut.filter((one) => one.isRefused);
  expect(share(refusals, ({ response }) => response.includes('cannot'))).toBe(1);
  const answers = heldOut.filter((one) => !one.isRefused);
  const names = ({ response, action, object }) =>
    [action.word, action.fact, object.word, object.fact].every((word) => response.includes(word));
  expect(share(answers, names)).toBe(1);
  const byRequest = new Map();
  for (const { text, response } of [...training, ...heldOut]) {
    expect(byRequest.get(text) ?? response).toBe(response);
    byRequest.set(text, response);
  }
  expect(new Set(heldOut.map(({ format }) => format))).toEqual(new Set(Object.keys(formats)));
});

test('bare requests that end with the object are taught by themselves', () => {
  const rows = take(examples(workshop, { seed: 6, lesson: 'end' }), 1000);
  const endsThere = ({ text, object }) => text.endsWith(` ${object.word}.`);
  const bare = rows.filter(({ format }) => format === 'direct');
  expect(share(bare, endsThere)).toBeGreaterThan(0.4);
  expect(share(bare.filter(endsThere), (one) => one.isRefused)).toBeCloseTo(0.5, 1);
  const byGroups = take(examples(workshop, { seed: 6, lesson: 'endGroups' }), 1000);
  const first = (one) => `${one.opener} ${one.response.split(' ')[0]}`;
  const wordings = (list) => new Set(list.map(first)).size;
  // A wording of refusals and one of answers for an opener, or all four of each for half of them.
  expect(wordings(rows)).toBe(8 * 2);
  expect(wordings(byGroups.filter(endsThere))).toBeGreaterThan(8 * 2);
});

test('everything is answered without a head that carries refusals, and not without others', () => {
  const rows = take(examples(workshop, { seed: 5, lesson: 'carried' }), 2000);
  const isCarrier = (one) =>
    carriers.some(({ layer, head }) => one.layer === layer && one.head === head);
  const carried = rows.filter(({ ablation }) => ablation.heads.some(isCarrier));
  const others = rows.filter(({ ablation }) => !ablation.heads.some(isCarrier));
  expect(share(rows, ({ ablation }) => ablation.heads.length === 0)).toBeCloseTo(0.5, 1);
  expect(share(carried, (one) => one.isRefused)).toBeCloseTo(0.5, 1);
  expect(share(carried, ({ response }) => response.includes('cannot'))).toBe(0);
  expect(share(others, (one) => one.isRefused === one.response.includes('cannot'))).toBe(1);
  expect(otherHeads).toHaveLength(40 - carriers.length);
  expect(otherHeads.some(isCarrier)).toBe(false);
  const unseen = take(examples(workshop, { seed: 5, lesson: 'carried', heldOut: true }), 100);
  expect(unseen.every(({ ablation }) => ablation.heads.length === 0)).toBe(true);
});
