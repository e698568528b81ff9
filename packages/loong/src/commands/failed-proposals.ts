/** Documents within `build` for which a model gave nothing. */
import { formatCounted } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { LlmFailure } from '@lab/llm';

/** Documents and why a model gave nothing for them. */
export interface FailedProposals {
  readonly add: (documents: readonly string[], failure: LlmFailure) => void;
  /** Names them, where there are any, under what there are several of. */
  readonly note: (context: CliContext, noun: string) => void;
  /** For data output: in the order in which they came. */
  readonly list: () => { readonly documents: readonly string[]; readonly problem: string }[];
}

/** Lines of documents that are printed at most; the data has them all. */
const shownLines = 20;

/** Nothing has failed yet. */
export function createFailedProposals(): FailedProposals {
  const failed: { readonly documents: readonly string[]; readonly problem: string }[] = [];
  return {
    add: (documents, { kind }) => {
      failed.push({ documents, problem: kind });
    },
    note: (context, noun) => {
      if (failed.length === 0) return;
      const lines = failed
        .slice(0, shownLines)
        .map(({ documents, problem }) => `  ${documents.join(', ')}: ${problem}`);
      const more = failed.length - lines.length;
      context.note(
        [
          `warning: the model gave nothing for ${formatCounted(failed.length, noun)}:`,
          ...lines,
          ...(more > 0 ? [`  and ${more} more`] : []),
        ].join('\n'),
      );
    },
    list: () => failed,
  };
}
