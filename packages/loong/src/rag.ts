/**
 * Retrieved chunks in place of whole documents.
 */
import { createRandom } from '@lab/core';
import {
  chunkText,
  cosineTopK,
  createBm25,
  type EmbeddingStore,
  type Hit,
  type LlmClient,
  reciprocalRankFusion,
} from '@lab/llm';
import type { LoongAnswer } from './answers.js';
import { type AssembledPrompt, type AssembleOptions, frameOf } from './assemble.js';
import { blocksOf } from './blocks.js';
import type { LoongConfig } from './config.js';
import { fitBlocks, promptLimit, type Sized } from './length.js';
import type { LoongRecord } from './record.js';
import { cl100kCounter } from './tokens.js';

/** Finds texts for a query. */
export interface Retriever {
  /** Names it in the run's record. */
  readonly name: string;
  /** All texts, the likeliest first, as far as they are found. */
  rank(query: string, texts: readonly string[], k: number): Promise<readonly Hit[]>;
}

/** What makes vectors: a client, and a store that asks for each text once. */
export interface Embedder {
  readonly client: LlmClient;
  readonly store?: EmbeddingStore | undefined;
}

/**
 * A retriever by words (BM25), by vectors (exact cosine), or by both (reciprocal rank fusion).
 *
 * @param embedder - needed for all but `bm25`.
 */
export function createRetriever(
  kind: 'embeddings' | 'bm25' | 'fusion',
  embedder?: Embedder,
): Retriever {
  const byWords = (query: string, texts: readonly string[], k: number) =>
    createBm25(texts).search(query, k);
  if (kind === 'bm25' || embedder === undefined) {
    return { name: 'bm25', rank: async (query, texts, k) => byWords(query, texts, k) };
  }
  const byVectors = async (query: string, texts: readonly string[], k: number) => {
    const { width, values } = await embedded(embedder, [query, ...texts]);
    const table = { width, values: values.subarray(width) };
    return cosineTopK(values.subarray(0, width), table, k);
  };
  const name = `${kind} ${embedder.client.model}`;
  if (kind === 'embeddings') return { name, rank: byVectors };
  return {
    name,
    rank: async (query, texts, k) => {
      const rankings = [byWords(query, texts, texts.length)];
      rankings.push(await byVectors(query, texts, texts.length));
      return reciprocalRankFusion(rankings, k);
    },
  };
}

async function embedded({ client, store }: Embedder, texts: readonly string[]) {
  return store === undefined ? client.embed(texts) : store.embed(client, texts);
}

/** A chunk of a document of a record. */
export interface DocumentChunk {
  /** Place of its document in the record's list, from 1. */
  readonly doc: number;
  /** Its number in the document, from 1. */
  readonly chunk: number;
  readonly name: string;
  /** Header and text, with two line feeds at the end. */
  readonly text: string;
}

/**
 * The documents of a record in chunks. Each is headed by its document's heading and its number, so
 * that names and places that answers refer to stay known.
 */
export async function chunksOf(
  record: LoongRecord,
  options: Pick<AssembleOptions, 'library' | 'verdictFix'>,
  rag: Pick<LoongConfig['rag'], 'chunkTokens' | 'overlap'>,
): Promise<DocumentChunk[]> {
  const chunks: DocumentChunk[] = [];
  const sizes = { maxTokens: rag.chunkTokens, overlapTokens: rag.overlap };
  for (const block of blocksOf(record, options.library, options)) {
    if (block === null) continue;
    const { name, heading, text, position } = block;
    const parts = await chunkText(text.slice(heading.length + 1), {
      ...sizes,
      locale: record.language,
    });
    const word = record.language === 'zh' ? '片段' : 'part';
    for (const [index, part] of parts.entries()) {
      const header = `${heading} (${word} ${index + 1}/${parts.length})`;
      const whole = `${header}\n${part.text}\n\n`;
      chunks.push({ doc: position, chunk: index + 1, name, text: whole });
    }
  }
  return chunks;
}

/** What is searched for: the question, or the instruction where that is empty. */
export function queryOf({ question, instruction }: LoongRecord, rag: LoongConfig['rag']): string {
  if (question.trim() === '') return instruction;
  return rag.query === 'question' ? question : `${question}\n${instruction}`;
}

/** How a prompt of chunks is made. */
export interface RetrieveOptions extends AssembleOptions {
  readonly retriever: Retriever;
  readonly rag: LoongConfig['rag'];
}

/**
 * The chunks that are found for a record, the best first; with a quota each document gets its best
 * ones before the others.
 */
export async function retrieveChunks(
  record: LoongRecord,
  options: RetrieveOptions,
): Promise<DocumentChunk[]> {
  const { retriever, rag } = options;
  const chunks = await chunksOf(record, options, rag);
  const texts = chunks.map(({ text }) => text);
  const wanted = rag.perDocument === 0 ? rag.topK : chunks.length;
  const hits = await retriever.rank(queryOf(record, rag), texts, wanted);
  const ranked = hits.map(({ index }) => chunks[index]!);
  if (rag.perDocument === 0) return ranked.slice(0, rag.topK);
  // What the query shares no word with is not ranked; a quota takes it last.
  const found = new Set(ranked);
  const all = [...ranked, ...chunks.filter((chunk) => !found.has(chunk))];
  const taken = new Map<number, number>();
  const first = all.filter(({ doc }) => {
    const count = (taken.get(doc) ?? 0) + 1;
    taken.set(doc, count);
    return count <= rag.perDocument;
  });
  const isFirst = new Set(first);
  return [...first, ...ranked.filter((chunk) => !isFirst.has(chunk))].slice(0, rag.topK);
}

/**
 * The prompt of a record with retrieved chunks in place of its documents: those that fit, shuffled
 * where the record's documents are.
 *
 * Source: Loong, section 5; the released code reads chunks from a field that the data lack, and has
 * no retrieval.
 */
export async function retrievedPrompt(
  record: LoongRecord,
  options: RetrieveOptions,
): Promise<AssembledPrompt & Required<Pick<LoongAnswer, 'chunks'>>> {
  const { window, seed, shuffle, rag, counter = cl100kCounter } = options;
  const { before, after } = frameOf(record);
  const frame = (await counter.overhead()) + (await counter.count(before + after));
  const found: (DocumentChunk & Sized)[] = [];
  for (const chunk of await retrieveChunks(record, options)) {
    found.push(Object.assign({ tokens: await counter.count(chunk.text) }, chunk));
  }
  const { used } = fitBlocks(found, { frame, limit: promptLimit(window) });
  const inOrder =
    rag.order === 'document'
      ? used.toSorted((a, b) => a.doc - b.doc || a.chunk - b.chunk)
      : [...used];
  if (shuffle === 'record' && record.shuffle_doc && rag.order === 'similarity') {
    createRandom(seed).fork('chunks').fork(record.id).shuffle(inOrder);
  }
  const parts = [before, ...inOrder.map(({ text }) => text), after];
  const positions = [...new Set(inOrder.map(({ doc }) => doc))];
  const isUsed = new Set(positions);
  return {
    prompt: parts.join(''),
    promptTokens: await counter.joined(parts),
    docsUsed: positions.map((position) => record.doc[position - 1]!),
    docsDropped: record.doc.filter((_, index) => !isUsed.has(index + 1)),
    positions,
    chunks: inOrder.map(({ doc, chunk }) => ({ doc, chunk })),
  };
}

/** How many documents the best k chunks touch. */
export interface RetrievalRecall {
  readonly k: number;
  /** Share of records whose chunks touch every document. Source: Loong, section 5. */
  readonly allDocuments: number;
  /** Mean share of documents that are touched. */
  readonly meanShare: number;
  readonly records: number;
}

/** Recall of a retriever over records, at several k at once. */
export async function retrievalRecall(
  records: readonly LoongRecord[],
  options: RetrieveOptions,
  ks: readonly number[],
): Promise<RetrievalRecall[]> {
  const most = Math.max(...ks);
  const sums = ks.map(() => ({ all: 0, share: 0 }));
  for (const record of records) {
    const rag = { ...options.rag, topK: most };
    const chunks = await retrieveChunks(record, { ...options, rag });
    const documents = new Set(record.doc.map((_, index) => index + 1));
    for (const [at, k] of ks.entries()) {
      const touched = new Set(chunks.slice(0, k).map(({ doc }) => doc)).size;
      sums[at]!.share += touched / documents.size;
      sums[at]!.all += touched === documents.size ? 1 : 0;
    }
  }
  const count = Math.max(1, records.length);
  return ks.map((k, at) => ({
    k,
    allDocuments: sums[at]!.all / count,
    meanShare: sums[at]!.share / count,
    records: records.length,
  }));
}
