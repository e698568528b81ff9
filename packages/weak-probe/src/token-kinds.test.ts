import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { exampleModel, loadTokenizer } from '@lab/transformer';
import { describe, expect, it } from 'vitest';
import { listsForTokenizer, tokenKinds } from './token-kinds.js';
import { publishedTokenLists, readTokenLists } from './token-lists.js';
import { tokenText } from './token-text.js';

describe('published matching', () => {
  const { kindOf } = tokenKinds(publishedTokenLists, 'published');
  it('lower-cases the token alone, and asks negative, neutral and positive in turn', () => {
    expect(['SORRY', 'here', ' Sure', 'table'].map(kindOf)).toEqual([
      ...['negative', 'neutral', 'positive', 'other'],
    ]);
  });
  it('never matches words of the lists that have no twin in small letters', () => {
    expect(['NOT', 'Gre', 'Ah', 'not', 'gre', 'ah'].map(kindOf)).toEqual(Array(6).fill('other'));
  });
  it('has the published numbers of words', () => {
    const { negative, neutral, positive } = publishedTokenLists;
    expect([negative, neutral, positive].map((list) => new Set(list).size)).toEqual([31, 18, 36]);
  });
});

it('folds letters and leaves spaces around a token out', () => {
  const { kindOf } = tokenKinds();
  expect([' Sorry', 'NOT', 'Gre', ' ah'].map(kindOf)).toEqual([
    ...['negative', 'negative', 'positive', 'neutral'],
  ]);
});

it('takes what begins with a word of four letters or more, by stems', () => {
  const { kindOf } = tokenKinds(publishedTokenLists, 'stem');
  expect(kindOf(' apologies')).toBe('negative');
  expect(kindOf('refusing')).toBe('other');
  expect(kindOf('sorting')).toBe('other');
});

it('takes patterns of the user', () => {
  const patterns = { negative: ['^refus'] };
  const { kindOf } = tokenKinds({ negative: [], neutral: [], positive: ['refuse'], patterns });
  expect(kindOf(' Refusal')).toBe('negative');
  const bad = { negative: [], neutral: [], positive: [], patterns: { positive: ['('] } };
  expect(() => tokenKinds(bad)).toThrow(/pattern \( of positive/);
});

describe('lists of a file', () => {
  const folder = temporaryFolder();
  const write = (text: string) => {
    const path = join(folder, 'words.json');
    writeFileSync(path, text);
    return path;
  };
  it('may leave kinds out', () => {
    const lists = readTokenLists(write('{ "negative": ["nope"], "patterns": {} }'));
    expect(tokenKinds(lists).kindOf('Nope')).toBe('negative');
    expect(lists.positive).toEqual([]);
  });
  it.each(['{ "negativ": [] }', '[1]', '{', '{ "negative": "no" }'])('refuses %s', (text) => {
    expect(() => readTokenLists(write(text))).toThrow(/words\.json/);
  });
  it('says where a file is missing', () => {
    expect(() => readTokenLists(join(folder, 'none.json'))).toThrow(/there is no such file/);
  });
});

describe('with a tokenizer', () => {
  const tokenizer = loadTokenizer(exampleModel('organism'));
  it('adds first pieces of words that are cut, and none that begins words of two kinds', () => {
    const words = { negative: ['Unfortunately'], neutral: [], positive: ['certainlyhood'] };
    const made = listsForTokenizer(tokenizer, words);
    expect(made.negative).toContain('Unfortunately');
    for (const piece of made.positive.slice(1)) expect('certainlyhood').toContain(piece);
    const fake = {
      decode: ([id]: readonly number[]) => ['kno', 'know', 'xx'][id!]!,
      encode: (text: string) => (text.trim().startsWith('kno') ? [0, 2] : [2]),
    };
    const both = { negative: ['knock'], neutral: [], positive: ['knows'] };
    expect(listsForTokenizer(fake, both)).toMatchObject({
      negative: ['knock'],
      positive: ['knows'],
    });
    const one = { negative: ['knock'], neutral: [], positive: ['xxyy'] };
    expect(listsForTokenizer(fake, one).negative).toEqual(['knock', 'kno']);
  });
  it('shows ids of tokens that are no text', () => {
    const fake = {
      tokenOf: (id: number) => ['<0xE2>', 'x', '\u2581', null][id] ?? null,
      decode: ([id]: readonly number[]) => ['\uFFFD', 'a\uFFFD', ' ', ''][id!]!,
    };
    expect([0, 1, 2, 3].map((id) => tokenText(fake, id))).toEqual(['<0xE2>', '#1', '" "', '#3']);
  });
});
