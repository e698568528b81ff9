/** The flags of `llm run`. */
import type { CliOption } from '@lab/core/cli';
import {
  budgetFlags,
  callFlags,
  modelFlags,
  outputFlags,
  rowFlags,
  waitingFlags,
} from './command-flags.js';
import { underTopic } from './flag-values.js';
import { queueFlags } from './queue-options.js';

/** The flags, by topic. */
export const runOptions: readonly CliOption[] = [
  ...underTopic('what is asked', [
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
  ...modelFlags,
  ...underTopic('model', [
    { flags: '--temperature <t>', summary: 'of sampling', kind: 'number', unit: 'default 0' },
    { flags: '--top-p <p>', summary: 'of sampling', kind: 'number', unit: 'default 1' },
    { flags: '--max-tokens <n>', summary: 'of an answer', kind: 'integer', unit: 'default 1024' },
    { flags: '--stop <text>', summary: 'ends an answer', kind: 'repeated' },
    { flags: '--seed <n>', summary: 'sent to the server', kind: 'integer' },
    { flags: '--extra <json>', summary: 'further keys of the request, as one JSON object' },
  ]),
  ...callFlags,
  ...rowFlags('rows'),
  ...underTopic('work', queueFlags),
  ...waitingFlags,
  ...budgetFlags,
  ...outputFlags('rows', 'prompt or model'),
];
