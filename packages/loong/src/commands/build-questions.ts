/** Questions about texts within `build`: what a model proposes, put on a page to be decided. */
import { join } from 'node:path';
import { DataError, formatCount, makeFolder } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { countOf, type FlagValues } from '@lab/llm/commands';
import { benchmarkFiles } from '../build/benchmark.js';
import type { OwnDocument } from '../build/read-documents.js';
import { proposeTextQuestions, writeQuestionReview } from '../build/text-questions.js';
import { createFailedProposals } from './failed-proposals.js';
import { openModel } from './session.js';

/** Where a benchmark is built from and to. */
export interface BuildPlace {
  readonly options: FlagValues;
  readonly out: string;
  readonly docs: string;
}

/** Has a model propose questions, and writes the page on which they are decided. */
export async function offerQuestions(
  context: CliContext,
  documents: readonly OwnDocument[],
  { options, out, docs }: BuildPlace,
): Promise<void> {
  const count = countOf(options, 'textQuestions', '--text-questions') ?? 0;
  const failed = createFailedProposals();
  const session = await openModel({ context, options });
  try {
    const found = await proposeTextQuestions(documents, {
      ...{ client: session.client, count, seed: Number(options['seed']) },
      signal: context.signal,
      onProgress: (done) => context.progress.update(`build  ${done}/${count} questions`),
      onFailure: failed.add,
    });
    context.progress.done();
    failed.note(context, 'request');
    if (found.length === 0) throw nothingProposed(docs, count);
    makeFolder(out);
    const page = join(out, benchmarkFiles.questionReview);
    const fileName = 'reviewed-questions.csv';
    const command = `loong build --docs ${docs} --reviewed-questions ${fileName} --out ${out}`;
    writeQuestionReview(page, found, { command, fileName });
    context.print(
      `${formatCount(found.length)} of ${formatCount(count)} proposals quote every document; ` +
        `decide which are good:\n${page}\nthen: ${command}\n`,
    );
    const facts = { proposals: found.length, review: page, failed: failed.list() };
    context.printJson({ run: null, status: 'success', metrics: null, out, ...facts });
  } finally {
    context.progress.done();
    await session.close();
  }
}

function nothingProposed(docs: string, count: number): DataError {
  return new DataError(`${docs}: none of ${count} proposals quotes every one of its documents.`, {
    file: docs,
    help: 'give two documents of a domain and language at least, a larger model, or --facts.',
  });
}
