/**
 * How many of a question's documents the model saw.
 */
import type { Prediction } from '@lab/llm';
import type { LoongAnswer } from './answers.js';

/**
 * What the prompt of a question had of its documents: all; some, as the others did not fit into the
 * window; none, as not one fits; retrieved chunks; none as the run is a closed book; a part, as the
 * server cut it without saying so (such an answer is thrown away). `not-known` where nothing was
 * kept of the prompt, as of a refusal; `not-asked` where the question has no row.
 */
export type Coverage =
  | 'all-documents'
  | 'some-documents'
  | 'no-documents'
  | 'chunks'
  | 'closed-book'
  | 'cut-by-server'
  | 'not-known'
  | 'not-asked';

/** What they are called in tables, in the order of tables. */
export const coverageNames: Readonly<Record<Coverage, string>> = {
  'all-documents': 'all documents',
  'some-documents': 'some documents left out',
  'no-documents': 'no document fits',
  chunks: 'retrieved chunks',
  'closed-book': 'closed book',
  'cut-by-server': 'prompt cut by the server',
  'not-known': 'documents not noted',
  'not-asked': 'not asked',
};

/** What the prompt of a row had of its documents. */
export function coverageOf(row: Prediction<LoongAnswer> | undefined): Coverage {
  if (row === undefined) return 'not-asked';
  const { status, output } = row;
  if (status === 'truncated') return 'cut-by-server';
  if (output === null) return 'not-known';
  if (output.chunks !== undefined) return 'chunks';
  const { docsUsed, docsDropped } = output;
  if (docsUsed.length === 0) return docsDropped.length === 0 ? 'closed-book' : 'no-documents';
  return docsDropped.length === 0 ? 'all-documents' : 'some-documents';
}
