/** `recall`: how many documents of a question the best chunks touch. */
import { join } from 'node:path';
import { ConfigError, formatShare, makeFolder, writeFileAtomic } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  table,
} from '@lab/core/cli';
import { passedCommand, textOf } from '@lab/llm/commands';
import { writeRunPage } from '@lab/report';
import { assembleOptionsOf } from '../answer-record.js';
import { loongConfig } from '../config.js';
import { retrievalRecall } from '../rag.js';
import { recallPage } from '../report/recall-page.js';
import { askedBenchmark, dataOptions } from './data-options.js';
import { configOf, dataRecords } from './run.js';
import { openRetriever } from './session.js';

/** Numbers of chunks, those of the paper's table 6. */
const ks = [10, 20, 30, 40, 50];

/** The verb `recall`. */
export const recallCommand: CliCommand = {
  name: 'recall',
  summary:
    'Measure retrieval alone: the share of questions whose best chunks touch every document.',
  options: [
    ...dataOptions,
    { flags: '--rag <how>', summary: 'embeddings, bm25, fusion', default: 'bm25' },
    { flags: '--base-url <url>', summary: 'server of vectors' },
    { flags: '--embed-model <name>', summary: 'model that makes vectors' },
    { flags: '--embed-base-url <url>', summary: 'its server', unit: 'default --base-url' },
    { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
    { flags: '--cache-dir <dir>', summary: 'folder of vectors', unit: 'default LAB_CACHE/llm' },
    { flags: '--out <dir>', summary: 'folder of a page, with the numbers of the paper' },
    ...configOptions(loongConfig),
  ],
  example: 'loong recall --data loong.jsonl --docs doc --domain financial --rag bm25',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const { config } = await configOf(options);
  const { rag } = config;
  if (rag.retriever === 'off') {
    throw new ConfigError('--rag off finds no chunks.', { help: 'embeddings, bm25 or fusion.' });
  }
  const { records, library } = await askedBenchmark(options);
  const open = openRetriever(context, options, rag);
  const retriever = open.retriever!;
  try {
    context.progress.update('recall');
    const parts = { ...assembleOptionsOf({ config, library }), retriever, rag };
    const recall = await retrievalRecall(records, parts, ks);
    context.progress.done();
    context.print(
      table(
        recall.map(({ k, allDocuments, meanShare, records: n }) => ({
          k,
          'all documents': formatShare(allDocuments),
          'documents, mean': formatShare(meanShare),
          n,
        })),
      ),
    );
    const out = textOf(options, 'out');
    let report: string | null = null;
    if (out !== undefined) {
      report = join(out, 'report.html');
      makeFolder(out);
      writeFileAtomic(join(out, 'recall.json'), `${JSON.stringify(recall, null, 2)}\n`);
      const files = await dataRecords(options);
      const command = passedCommand('loong');
      writeRunPage(report, recallPage({ retriever: retriever.name, recall, rag, files, command }));
      context.print(`report  ${report}\n`);
    }
    context.printJson({ run: null, status: 'success', metrics: null, recall, report });
  } finally {
    await open.close();
  }
}
