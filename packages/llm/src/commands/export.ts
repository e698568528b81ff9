/** `llm export`: a run in the form of other tools. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigError,
  formatCount,
  hashFile,
  readRunRecord,
  sha256,
  writeFileAtomic,
} from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import type { ChatMessage } from '../chat.js';
import { csvTable } from '../exports/csv.js';
import { type ExportedRun, type ReadRunOptions, readExportedRun } from '../exports/exported-run.js';
import { inspectLog, inspectLogName } from '../exports/inspect-log.js';
import { junitXml } from '../exports/junit.js';
import { promptfooJson } from '../exports/promptfoo.js';
import { readPrompt } from '../prompt.js';
import { type FileRow, readRows } from '../rows/row-file.js';

type Format = (run: ExportedRun, prompt: string | undefined) => Iterable<string>;

const formats: Readonly<Record<string, Format>> = {
  csv: (run) => csvTable(run),
  inspect: (run) => inspectLog(run),
  junit: (run) => junitXml(run),
  promptfoo: (run, prompt) => promptfooJson(run, { prompt }),
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
  ],
  example: 'llm export runs/first --format junit --out results.xml',
  run,
};

async function run(context: CliContext, { arguments: words, options }: CliInput): Promise<void> {
  const [dir = ''] = words;
  const { format: name, out, target, score, passFrom } = options;
  const format = formats[String(name)];
  if (format === undefined) {
    throw new ConfigError('--format is missing.', { help: Object.keys(formats).join(', ') });
  }
  if (typeof out !== 'string') throw new ConfigError('--out FILE is missing.');
  const input = await inputOf(context, dir, options['data']);
  const exported = await readExportedRun(dir, {
    ...input.options,
    targetField: typeof target === 'string' ? target : undefined,
    scoreField: typeof score === 'string' ? score : undefined,
    passFrom: Number(passFrom),
  });
  const path = isFolder(out) ? join(out, fileName(String(name), exported)) : out;
  writeFileAtomic(path, format(exported, input.prompt));
  const passed = exported.rows.filter((row) => row.isPass).length;
  const rows = exported.rows.length;
  context.print(`${formatCount(rows)} rows in ${path}, ${formatCount(passed)} passed`);
  context.printJson({ run: dir, format: name, out: path, rows, passed });
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

const extensions: Readonly<Record<string, string>> = { csv: 'csv', junit: 'xml' };

function fileName(format: string, exported: ExportedRun): string {
  if (format === 'inspect') return inspectLogName(exported);
  return `${exported.record.id}.${format}.${extensions[format] ?? 'json'}`;
}

interface Input {
  readonly options: Pick<ReadRunOptions, 'messagesOf' | 'rows'>;
  readonly prompt: string | undefined;
}

/** Rows and prompts of the run, where they still are what they were. */
async function inputOf(context: CliContext, dir: string, given: unknown): Promise<Input> {
  const { config, data } = readRunRecord(dir);
  const passed = (config.passed ?? {}) as Readonly<Record<string, unknown>>;
  const resolved = (config.resolved ?? {}) as Readonly<Record<string, unknown>>;
  const path = typeof given === 'string' ? given : data[0]?.path;
  if (path === undefined || !(await isSameFile(path, data[0]?.sha256))) {
    if (typeof given === 'string') {
      throw new ConfigError(`${given} is not the file that the run was made from.`);
    }
    context.note('the rows are not where they were, or changed; the export is without prompts.');
    return { options: {}, prompt: undefined };
  }
  const prompt = promptOf(passed['prompt'], resolved['prompt']);
  const system = promptOf(passed['system'], resolved['system']);
  const isWhole = prompt !== undefined && (resolved['system'] == null || system !== undefined);
  if (!isWhole) context.note('the prompt is not where it was, or changed; it is left out.');
  const idField = typeof resolved['idField'] === 'string' ? resolved['idField'] : undefined;
  const messagesOf = (row: FileRow): readonly ChatMessage[] => [
    ...(system === undefined ? [] : [{ role: 'system', content: system.fill(row) } as const]),
    { role: 'user', content: prompt?.fill(row) ?? '' },
  ];
  const rows = readRows(path, { idField });
  return {
    options: isWhole ? { rows, messagesOf } : { rows },
    prompt: isWhole ? prompt.text : undefined,
  };
}

async function isSameFile(path: string, digest: string | undefined): Promise<boolean> {
  return existsSync(path) && (await hashFile(path)).sha256 === digest;
}

function promptOf(path: unknown, digest: unknown): ReturnType<typeof readPrompt> | undefined {
  if (typeof path !== 'string' || !existsSync(path)) return undefined;
  const prompt = readPrompt(path);
  return sha256(prompt.text) === digest ? prompt : undefined;
}
