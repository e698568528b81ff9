/**
 * What was answered, as the lines of a run hold it.
 */
import type { Prediction, RowStatus } from '@lab/llm';

/** The output of a question in `predictions.jsonl`; the prompt is made again when it is needed. */
export interface LoongAnswer {
  /** Empty where nothing was said. */
  readonly response: string;
  /** SHA-256 of the prompt. */
  readonly promptHash: string;
  /** Of the prompt, as `window.tokenizer` counts them. */
  readonly promptTokens: number;
  /** Names of the documents in the prompt, in its order. */
  readonly docsUsed: readonly string[];
  readonly docsDropped: readonly string[];
  /** Places of the documents used in the record's list, from 1, in the order of the prompt. */
  readonly positions: readonly number[];
  /** Why the answer ended; null where none was asked for. */
  readonly finishReason: string | null;
  /** The window that the prompt was made for: smaller than that of the run where a server asked. */
  readonly maxLength: number;
  /** How often the answer was gone on with after a cut; absent for never. */
  readonly continuations?: number | undefined;
  /** Chunks in place of whole documents, where they were retrieved. */
  readonly chunks?: readonly { readonly doc: number; readonly chunk: number }[] | undefined;
}

/** Statuses of {@link LoongAnswer} beside those of `@lab/llm`. */
export const answerStatuses = {
  /** No document fits into the window, so nothing was asked. */
  noDocsFit: 'no-docs-fit',
} as const;

/** Statuses whose answer is judged. */
const judgedStatuses: ReadonlySet<RowStatus> = new Set<RowStatus>([
  'ok',
  'length',
  'refusal',
  'content-filter',
]);

/** Whether a finished row has an answer to judge; a refusal is one. */
export function isJudged({ status }: Pick<Prediction, 'status'>): boolean {
  return judgedStatuses.has(status);
}

/** The answer of a row: what a refusal says, too. */
export function responseOf({ output, body }: Prediction<LoongAnswer>): string {
  return output?.response ?? body ?? '';
}
