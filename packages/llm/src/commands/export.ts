/** `llm export`: a run in the form of other tools. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, formatCount, readRunRecord, writeFileAtomic } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { csvTable } from '../exports/csv.js';
import { type ExportedRun, readExportedRun } from '../exports/exported-run.js';
import { inspectLog, inspectLogName } from '../exports/inspect-log.js';
import { junitXml } from '../exports/junit.js';
import { promptfooJson } from '../exports/promptfoo.js';
import { findRunInput } from '../exports/run-input.js';

interface FormatOptions {
  readonly prompt: string | undefined;
  readonly isRaw: boolean;
}

type Format = (run: ExportedRun, options: FormatOptions) => Iterable<string>;

const formats: Readonly<Record<string, Format>> = {
  csv: (run, { isRaw }) => csvTable(run, { isRaw }),
  inspect: (run) => inspectLog(run),
  junit: (run) => junitXml(run),
  promptfoo: (run, { prompt }) => promptfooJson(run, { prompt }),
};

/** The verb `export`. */
export const exportCommand: CliCommand = {
  name: 'export',
  summary: 'Write a run as promptfoo results, an Inspect log, JUnit XML or CSV.',
  arguments: [{ name: 'run', summary: 'folder of the run', required: true }],
  options: [
    { flags: '--format <name>', summary: 'of the file', choices: Object.keys(formats) },
    {
      flags: '--out <file>',
      summary: 'the file; in a folder it gets the name that its reader needs',
    },
    { flags: '--data <file>', summary: 'rows of the run, where they are not where they were' },
    { flags: '--target <field>', summary: 'field of the rows with the right answer' },
    { flags: '--score <field>', summary: 'field of the output with a number, or true and false' },
    {
      flags: '--pass-from <n>',
      summary: 'score from which a row passes',
      kind: 'number',
      default: 0.5,
    },
    { flags: '--raw', summary: 'CSV: no mark before texts that a spreadsheet takes for formulas' },
  ],
  example: 'llm export runs/first --format junit --out results.xml',
  run,
};

async function run(context: CliContext, { arguments: words, options }: CliInput): Promise<void> {
  const [dir = ''] = words;
  const { format: name, out, target, score, passFrom, data } = options;
  const format = formats[String(name)];
  if (format === undefined) {
    const help = `one of ${Object.keys(formats).join(', ')}.`;
    throw new ConfigError('--format is missing.', { help });
  }
  if (typeof out !== 'string') throw new ConfigError('--out FILE is missing.');
  const given = typeof data === 'string' ? data : undefined;
  const input = await findRunInput(readRunRecord(dir), given);
  for (const remark of input.remarks) context.note(`${remark}; the export is without them.`);
  const exported = await readExportedRun(dir, {
    rows: input.rows?.(),
    messagesOf: input.messagesOf,
    targetField: typeof target === 'string' ? target : undefined,
    scoreField: typeof score === 'string' ? score : undefined,
    passFrom: Number(passFrom),
  });
  const path = isFolder(out) ? join(out, fileName(String(name), exported)) : out;
  const isRaw = options['raw'] === true;
  writeFileAtomic(path, format(exported, { prompt: input.prompt, isRaw }));
  const passed = exported.rows.filter((row) => row.isPass).length;
  const rows = exported.rows.length;
  context.print(`${formatCount(rows)} rows in ${path}, ${formatCount(passed)} passed`);
  context.printJson({ run: dir, format: name, out: path, rows, passed });
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

const endings: Readonly<Record<string, string>> = {
  csv: 'csv',
  junit: 'junit.xml',
  promptfoo: 'promptfoo.json',
};

function fileName(format: string, exported: ExportedRun): string {
  if (format === 'inspect') return inspectLogName(exported);
  return `${exported.record.id}.${endings[format] ?? format}`;
}
