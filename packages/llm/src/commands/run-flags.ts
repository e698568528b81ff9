/** The flags of `llm run`. */
import type { CliOption } from '@lab/core/cli';
import { queueFlags } from './queue-options.js';
import { serverFlags } from './server-flags.js';

const flags = (topic: string, options: readonly Omit<CliOption, 'topic'>[]): readonly CliOption[] =>
  options.map((option) => ({ ...option, topic }));

/** The flags, by topic. */
export const runOptions: readonly CliOption[] = [
  ...flags('what is asked', [
    { flags: '--data <file>', summary: 'rows with ids: JSON lines, CSV or TSV' },
    { flags: '--id-field <name>', summary: 'field that names a row', unit: 'default id' },
    { flags: '--prompt <file>', summary: 'template: {{field}}, or {{field|block}} for data' },
    { flags: '--system <file>', summary: 'template of a system message' },
    { flags: '--schema <file>', summary: 'JSON schema that answers must fit' },
    {
      flags: '--structured <level>',
      summary: 'how the server is told the schema: json-schema, server-field, json-object, prompt',
      unit: 'default what llm doctor found',
    },
  ]),
  ...flags('model', [
    {
      flags: '--base-url <url>',
      summary: 'server; of several, prompts that begin alike go to the same',
      kind: 'repeated',
      unit: 'default LAB_BASE_URL',
    },
    { flags: '--alias <name>', summary: 'name of the server in hashes, shared by replicas' },
    { flags: '--model <name>', summary: 'as the server calls it' },
    { flags: '--api-key-file <file>', summary: 'key, else LAB_API_KEY or OPENAI_API_KEY' },
    { flags: '--ca <file>', summary: 'certificates to trust besides the usual ones, PEM' },
    { flags: '--temperature <t>', summary: 'of sampling', kind: 'number', unit: 'default 0' },
    { flags: '--top-p <p>', summary: 'of sampling', kind: 'number', unit: 'default 1' },
    { flags: '--max-tokens <n>', summary: 'of an answer', kind: 'integer', unit: 'default 1024' },
    { flags: '--stop <text>', summary: 'ends an answer', kind: 'repeated' },
    { flags: '--seed <n>', summary: 'sent to the server', kind: 'integer' },
    { flags: '--extra <json>', summary: 'further keys of the request, as one JSON object' },
  ]),
  ...flags('work', [
    { flags: '--concurrency <n>', summary: 'requests at once; default found', kind: 'integer' },
    { flags: '--shard <i/k>', summary: 'one of k parts of the rows, i from 0' },
    ...queueFlags,
    { flags: '--max-errors <n|p%>', summary: 'failed rows to put up with', unit: 'default 0' },
    { flags: '--cache <mode>', summary: 'off, read, write or refresh', unit: 'default write' },
    { flags: '--cache-dir <dir>', summary: 'folder of answers', unit: 'default LAB_CACHE/llm' },
    { flags: '--record <dir>', summary: 'keeps requests and answers for --replay' },
    { flags: '--replay <dir>', summary: 'takes the answers of a recording, and asks no server' },
  ]),
  ...flags('waiting', serverFlags),
  ...flags('budget', [
    { flags: '--prices <file>', summary: 'price list, JSON' },
    { flags: '--budget-usd <usd>', summary: 'the run costs no more', kind: 'number' },
    { flags: '--max-calls <n>', summary: 'the run asks no more', kind: 'integer' },
    { flags: '--max-total-tokens <n>', summary: 'the run takes no more', kind: 'integer' },
  ]),
  ...flags('output', [
    { flags: '--out <dir>', summary: 'folder of the run' },
    { flags: '--resume [dir]', summary: 'go on with the run in --out, or in this folder' },
    { flags: '--allow-mixed', summary: 'keep finished rows although prompt or model changed' },
    { flags: '--dry-run', summary: 'say what would be asked, then stop' },
  ]),
];
