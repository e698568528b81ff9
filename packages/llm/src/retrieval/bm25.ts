import { type Hit, TopK } from './top-k.js';

/** Settings of {@link createBm25}. */
export interface Bm25Options {
  /** How soon further occurrences of a term stop to count; default 1.2. */
  readonly k1?: number;
  /** How much the length of a document counts, 0 to 1; default 0.75. */
  readonly b?: number;
  /** Terms of a text; default {@link searchTerms}. */
  readonly tokenize?: (text: string) => readonly string[];
}

/** An index of documents by their terms. */
export interface Bm25 {
  /** Documents. */
  readonly size: number;
  /** The best documents for a query that hold a term of it, the best first. */
  search(query: string, k: number): Hit[];
  /** Scores of all documents. */
  scores(query: string): Float64Array;
}

interface Posting {
  readonly documents: number[];
  readonly counts: number[];
}

/**
 * An index for BM25.
 *
 * `score(q, d) = sum over terms t of q: idf(t) f / (f + k1 (1 - b + b |d| / mean |d|))`,
 * `idf(t) = ln(1 + (N - n_t + 0.5) / (n_t + 0.5))`, f the count of t in d, n_t documents with t.
 * A term that a query holds twice counts twice.
 * Source: Robertson and Zaragoza 2009; idf and the dropped constant factor k1 + 1 as in Lucene 8's
 * `BM25Similarity`, whose idf is never negative.
 * Deviation: lengths are exact, Lucene rounds those of long documents.
 *
 * @param documents - texts; a hit names its index.
 */
export function createBm25(documents: readonly string[], options: Bm25Options = {}): Bm25 {
  const { k1 = 1.2, b = 0.75, tokenize = searchTerms } = options;
  const postings = new Map<string, Posting>();
  const lengths = new Float64Array(documents.length);
  for (const [index, document] of documents.entries()) {
    const terms = tokenize(document);
    lengths[index] = terms.length;
    for (const [term, count] of countsOf(terms)) {
      const posting = postings.get(term) ?? { documents: [], counts: [] };
      posting.documents.push(index);
      posting.counts.push(count);
      postings.set(term, posting);
    }
  }
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / documents.length;
  const scores = (query: string): Float64Array => {
    const found = new Float64Array(documents.length);
    for (const [term, times] of countsOf(tokenize(query))) {
      const posting = postings.get(term);
      if (!posting) continue;
      const n = posting.documents.length;
      const idf = Math.log(1 + (documents.length - n + 0.5) / (n + 0.5));
      for (let at = 0; at < n; at += 1) {
        const index = posting.documents[at]!;
        const f = posting.counts[at]!;
        const norm = k1 * (1 - b + (b * lengths[index]!) / meanLength);
        found[index]! += (times * idf * f) / (f + norm);
      }
    }
    return found;
  };
  return {
    size: documents.length,
    scores,
    search(query, k) {
      const top = new TopK(k);
      for (const [index, score] of scores(query).entries()) if (score > 0) top.add(index, score);
      return top.hits();
    },
  };
}

/** Scripts without blanks between words. */
const UNSPACED = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}`;
const word = new RegExp(String.raw`[${UNSPACED}]+|[^\P{L}${UNSPACED}]+|[\p{M}\p{N}]+`, 'gu');
const unspaced = new RegExp(`^[${UNSPACED}]`, 'u');

/**
 * Terms of a text: words and numbers in lower case, and pairs of neighbours in scripts that put no
 * blanks between words, as Lucene's analyzer for Chinese, Japanese and Korean does.
 */
export function searchTerms(text: string): string[] {
  const terms: string[] = [];
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(word)) {
    const characters = unspaced.test(run) ? [...run] : [];
    if (characters.length < 2) terms.push(run);
    for (let at = 1; at < characters.length; at += 1) {
      terms.push(characters[at - 1]! + characters[at]!);
    }
  }
  return terms;
}

function countsOf(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
