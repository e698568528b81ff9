import { describe, expect, it } from 'vitest';
import { fitBagOfWords, sparseProducts, wordsOf } from './bag-of-words.js';
import { fitNaiveBayes, naiveBayesScores } from './naive-bayes.js';

const texts = ['The cat sat', 'a cat and a dog', 'dog dog dog'];

describe('fitBagOfWords', () => {
  it('counts words of two letters and more, whatever their case', () => {
    expect(wordsOf("Don't STOP, naïve 42x!")).toEqual(['don', 'stop', 'naïve', '42x']);
    const bag = fitBagOfWords(texts);
    expect(bag.vocabulary).toEqual(['and', 'cat', 'dog', 'sat', 'the']);
    const { offsets, columns, values } = bag.counts(['dog cat dog', 'bird', '']);
    expect(Array.from(offsets)).toEqual([0, 2, 2, 2]);
    expect(Array.from(columns)).toEqual([1, 2]);
    expect(Array.from(values)).toEqual([1, 2]);
  });

  it('takes runs of words, and leaves rare ones out', () => {
    const bag = fitBagOfWords(texts, { mostWords: 2, leastTexts: 2 });
    expect(bag.vocabulary).toEqual(['cat', 'dog']);
    expect(fitBagOfWords(['one two two'], { mostWords: 2 }).vocabulary).toEqual([
      ...['one', 'one two', 'two', 'two two'],
    ]);
  });

  it('makes rows of length 1', () => {
    const rows = fitBagOfWords(texts).tfIdf([...texts, 'nothing']);
    const products = sparseProducts(rows, rows);
    expect(products[0]).toBeCloseTo(1, 12);
    expect(products[5]).toBeCloseTo(1, 12);
    expect(products[15]).toBe(0);
  });

  it('refuses texts without words, and settings out of range', () => {
    expect(() => fitBagOfWords(['!', '?'])).toThrow(/no word/);
    expect(() => fitBagOfWords(texts, { mostWords: 0 })).toThrow(/mostWords is 0/);
    const [a, b] = [fitBagOfWords(texts), fitBagOfWords(['one two'])];
    expect(() => sparseProducts(a.counts(texts), b.counts(texts))).toThrow(/5 and 2 wide/);
  });
});

describe('fitNaiveBayes', () => {
  it('weighs words by the classes they come from', () => {
    const bag = fitBagOfWords(['good good', 'bad']);
    const model = fitNaiveBayes(bag.counts(['good good', 'bad']), [1, 0]);
    const scores = naiveBayesScores(model, bag.counts(['good', 'none']));
    // ln 1/2 + ln 1/3 and ln 1/2 + ln 3/4; unknown words leave the priors.
    expect(scores[0]).toBeCloseTo(Math.log(1 / 6), 12);
    expect(scores[1]).toBeCloseTo(Math.log(3 / 8), 12);
    expect(scores[2]).toBe(scores[3]);
    expect(() => fitNaiveBayes(bag.counts(texts), [0, 1, 1], 0)).toThrow(/alpha is 0/);
  });
});
