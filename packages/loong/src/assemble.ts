/**
 * Prompts out of records and documents.
 */
import { createRandom, type Random } from '@lab/core';
import { blocksOf, type DocumentBlock } from './blocks.js';
import { fitBlocks, promptLimit, type Window } from './length.js';
import type { DocumentLibrary } from './library.js';
import type { LoongRecord } from './record.js';
import { cl100kCounter, type TokenCounter } from './tokens.js';

/** A prompt and how it was made. */
export interface AssembledPrompt {
  readonly prompt: string;
  /** Of the whole prompt, as they are counted. */
  readonly promptTokens: number;
  /** Names of its documents, in the order of the prompt. */
  readonly docsUsed: readonly string[];
  readonly docsDropped: readonly string[];
  /** Places of the documents used in the record's list, from 1, in the order of the prompt. */
  readonly positions: readonly number[];
}

/** How prompts are assembled. */
export interface AssembleOptions {
  readonly library: DocumentLibrary;
  readonly window: Window;
  readonly verdictFix: boolean;
  /** `record`: as each record says; `never`: in the record's order, whatever it says. */
  readonly shuffle: 'record' | 'never';
  readonly seed: number;
  /** Puts documents first in the prompt and in one order, so that questions share a prefix. */
  readonly stableDocOrder?: boolean | undefined;
  /** Default that of the benchmark, cl100k_base. */
  readonly counter?: TokenCounter | undefined;
}

/** Parts of a template around its documents, with question and instruction filled in. */
export interface PromptFrame {
  readonly before: string;
  readonly after: string;
}

/**
 * The template of a record around its documents. Braces that the instruction doubles stay doubled,
 * as the released code has it.
 */
export function frameOf(record: LoongRecord): PromptFrame {
  const { prompt_template: template, instruction, question } = record;
  const at = template.indexOf('{docs}');
  // Whatever an instruction holds is not taken for a place of the template.
  const filled = (text: string) =>
    text.replace(/\{(instruction|question)\}/g, (_, name: string) =>
      name === 'instruction' ? instruction : question,
    );
  return { before: filled(template.slice(0, at)), after: filled(template.slice(at + 6)) };
}

/** The question as it is put, without documents. */
export function questionText(record: LoongRecord): string {
  const { before, after } = frameOf(record);
  return `${before}${after}`.trim();
}

/** Blocks of a record, each with its tokens; null for a missing document. */
export type SizedBlock = DocumentBlock & { readonly tokens: number };

/** What blocks are made and counted by. */
export type SizeOptions = Pick<AssembleOptions, 'counter' | 'library' | 'verdictFix'>;

/** The blocks of a record with their lengths, in the record's order. */
export async function sizedBlocks(
  record: LoongRecord,
  { library, verdictFix, counter = cl100kCounter }: SizeOptions,
): Promise<SizedBlock[]> {
  const sized: SizedBlock[] = [];
  for (const block of blocksOf(record, library, { verdictFix })) {
    if (block === null) continue;
    const { name, position, heading, text } = block;
    const body = text.slice(heading.length + 1);
    // The heading's line ends in a line feed: where text follows, the counts of both add up.
    const tokens = /^\S/.test(body)
      ? (await counter.count(`${heading}\n`)) + (await counter.count(body))
      : await counter.count(text);
    sized.push({ name, position, heading, text, tokens });
  }
  return sized;
}

/**
 * The prompt of a record: its documents in an order that depends on seed and id alone, those that
 * fit, in the template.
 *
 * Source: Loong, section 4.1; MozerWang/Loong/src/utils/generate.py: financial reports are shuffled
 * before it is seen what fits, all documents after.
 * Deviation: each record has a random stream of its own, so that filters and shards change no
 * prompt; the released code draws them all from one.
 *
 * @throws {DataError} never for missing documents: see `missingDocuments`.
 */
export async function assemblePrompt(
  record: LoongRecord,
  options: AssembleOptions,
): Promise<AssembledPrompt> {
  const { window, seed, counter = cl100kCounter } = options;
  const frame = frameOf(record);
  const overhead = await counter.overhead();
  const frameTokens = overhead + (await counter.count(frame.before + frame.after));
  const random = createRandom(seed).fork('documents').fork(record.id);
  const isShuffled = options.shuffle === 'record' && record.shuffle_doc;
  const blocks = await sizedBlocks(record, options);
  const first = isShuffled && record.type === 'financial' ? shuffled(blocks, random) : blocks;
  const fitted = fitBlocks(first, { frame: frameTokens, limit: promptLimit(window) });
  const used = orderOf(fitted.used, { record, isShuffled, random, options });
  const parts = partsOf(frame, used, options.stableDocOrder === true);
  return {
    prompt: parts.join(''),
    promptTokens: await counter.joined(parts),
    docsUsed: used.map(({ name }) => name),
    docsDropped: fitted.dropped.map(({ name }) => name),
    positions: used.map(({ position }) => position),
  };
}

interface OrderFacts {
  readonly record: LoongRecord;
  readonly isShuffled: boolean;
  readonly random: Random;
  readonly options: AssembleOptions;
}

function orderOf(
  used: readonly SizedBlock[],
  { record, isShuffled, random, options }: OrderFacts,
): readonly SizedBlock[] {
  if (!isShuffled) return used;
  if (options.stableDocOrder !== true) return shuffled(used, random);
  // One order for all records of the same documents.
  const names = [...record.doc].sort().join('\n');
  const shared = createRandom(options.seed).fork('documents').fork(names);
  return shuffled(
    used.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    shared,
  );
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = random.permutation(items.length);
  return Array.from(order, (index) => items[index]!);
}

/** The texts of a prompt, one behind the other. */
function partsOf(
  { before, after }: PromptFrame,
  used: readonly SizedBlock[],
  docsFirst: boolean,
): string[] {
  const texts = used.map(({ text }) => text);
  return docsFirst ? [...texts, before, after] : [before, ...texts, after];
}
