/** `recall`: how many documents of a question the best chunks touch. */
import { formatShare } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  table,
} from '@lab/core/cli';
import { ConfigError } from '@lab/core';
import { loongConfig } from '../config.js';
import { assembleOptionsOf } from '../generate.js';
import { retrievalRecall } from '../rag.js';
import { askedBenchmark, dataOptions } from './data-options.js';
import { configOf } from './run.js';
import { openRetriever } from './session.js';

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
    ...configOptions(loongConfig),
  ],
  example: 'loong recall --data loong.jsonl --docs doc --domain financial --rag bm25',
  run: (context, input) => run(context, input),
};

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const { config } = await configOf(options);
  if (config.rag.retriever === 'off') {
    throw new ConfigError('--rag off finds no chunks.', { help: 'embeddings, bm25 or fusion.' });
  }
  const { records, library } = await askedBenchmark(options);
  const open = openRetriever(context, options, config.rag);
  try {
    context.progress.update('recall');
    const assembled = assembleOptionsOf(config, library);
    const parts = { ...assembled, retriever: open.retriever!, rag: config.rag };
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
    context.printJson({ run: null, status: 'success', metrics: null, recall });
  } finally {
    await open.close();
  }
}
