/**
 * A corpus that is made up: reports, judgments and papers in two languages.
 *
 * Every document says what it is about in a table of values, between paragraphs that say nothing of
 * them. It stands in for documents that cannot be given away, so that everything runs offline.
 */
import { createRandom, type Random } from '@lab/core';
import type { OwnDocument } from '../build/read-documents.js';
import { type Genre, genres } from './genres.js';

/** Settings of {@link makeCorpus}. */
export interface CorpusOptions {
  readonly seed?: number | undefined;
  /** Documents of each domain and language; default 10, so 60 in all. */
  readonly perGroup?: number | undefined;
  /** Characters of English documents about, of Chinese ones a third; default 18,000. */
  readonly characters?: number | undefined;
}

/**
 * The made-up corpus: `perGroup` documents in each of three domains and two languages. The same
 * settings give the same corpus.
 */
export function makeCorpus(options: CorpusOptions = {}): OwnDocument[] {
  const { seed = 1, perGroup = 10, characters = 18_000 } = options;
  const random = createRandom(seed).fork('corpus');
  return genres.flatMap((genre) => {
    const stream = random.fork(`${genre.type} ${genre.language}`);
    const names = stream.permutation(genre.names.length * genre.kinds.length);
    return Array.from({ length: perGroup }, (_, index) => {
      const at = names[index % names.length]!;
      const name = genre.names[at % genre.names.length]!;
      const kind = genre.kinds[Math.floor(at / genre.names.length)]!;
      const round = index >= names.length ? ` ${Math.floor(index / names.length) + 1}` : '';
      const title = `${genre.title(name, kind)}${round}`;
      return document(genre, title, { random: stream.fork(title), characters });
    });
  });
}

interface Drawing {
  readonly random: Random;
  readonly characters: number;
}

function document(genre: Genre, title: string, { random, characters }: Drawing): OwnDocument {
  const { language, type } = genre;
  const size =
    (language === 'zh' ? characters / 3.2 : characters) * (0.75 + 0.5 * random.uniform());
  const paragraphs: string[] = [];
  let written = 0;
  while (written < size) {
    const text = paragraph(genre, random);
    paragraphs.push(text);
    written += text.length;
  }
  const at = 1 + random.integer(Math.max(1, paragraphs.length - 1));
  paragraphs.splice(at, 0, valueTable(genre, random));
  return { name: title, title, type, language, text: paragraphs.join('\n\n') };
}

function paragraph({ sentences, words, language }: Genre, random: Random): string {
  const count = 3 + random.integer(4);
  const written = Array.from({ length: count }, () => {
    const sentence = sentences[random.integer(sentences.length)]!;
    return sentence.replace(/\{(\w+)\}/g, (_, slot: string) => {
      const choices = words[slot] ?? [slot];
      return choices[random.integer(choices.length)]!;
    });
  });
  return written.join(language === 'zh' ? '' : ' ');
}

/** A table in which each attribute of the genre has a value. */
function valueTable({ attributes, heading }: Genre, random: Random): string {
  const rows = attributes.map(({ name, unit, low, high, choices }) => {
    const value =
      choices === undefined
        ? String(Math.round(low + (high - low) * random.uniform() ** 2))
        : choices[random.integer(choices.length)]!;
    return `| ${name} | ${value} | ${unit} |`;
  });
  return [`| ${heading.join(' | ')} |`, '| --- | --- | --- |', ...rows].join('\n');
}
