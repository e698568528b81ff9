/**
 * Questions as the benchmark's file holds them, one a line.
 */
import { DataError, eachLine, type OnDefect, throwDefect } from '@lab/core';
import { z } from 'zod';
import { type Subtask, subtasks } from './tasks.js';

/** A gold answer. */
export type Answer = string | readonly unknown[] | Readonly<Record<string, unknown>>;

const recordSchema = z.object({
  level: z.literal([1, 2, 3, 4]).describe('task'),
  set: z.literal([1, 2, 3, 4]).describe('length set'),
  length: z.int().min(0).describe('tokens of the prompt in cl100k_base'),
  type: z.string().min(1).describe('domain: financial, legal, paper, or one of your own'),
  language: z.enum(['en', 'zh']),
  question: z.string(),
  instruction: z.string(),
  prompt_template: z.string().includes('{docs}'),
  doc: z.array(z.string().min(1)).min(1).describe('names of its documents'),
  answer: z.union([
    z.string(),
    z.array(z.unknown()),
    z.record(z.string(), z.unknown()),
  ]) as z.ZodType<Answer>,
  shuffle_doc: z.boolean().default(true),
  id: z.string().min(1),
  subtask: z.enum(subtasks).optional(),
  construction: z.record(z.string(), z.unknown()).optional(),
});

/** A question about several documents, with its gold answer. */
export interface LoongRecord {
  readonly id: string;
  /** 1 spotlight locating, 2 comparison, 3 clustering, 4 chain of reasoning. */
  readonly level: 1 | 2 | 3 | 4;
  readonly set: 1 | 2 | 3 | 4;
  /** Tokens of the prompt with all documents, in cl100k_base. */
  readonly length: number;
  /** `financial`, `legal`, `paper`, or a domain of your own. */
  readonly type: string;
  readonly language: 'en' | 'zh';
  /** Empty where the instruction asks all. */
  readonly question: string;
  readonly instruction: string;
  /** Text with the places `{docs}`, `{instruction}` and `{question}`. */
  readonly prompt_template: string;
  readonly doc: readonly string[];
  readonly answer: Answer;
  /** Whether documents may stand in any order. */
  readonly shuffle_doc: boolean;
  readonly subtask?: Subtask | undefined;
  /** How the question was made, of questions that `build` made. */
  readonly construction?: Readonly<Record<string, unknown>> | undefined;
}

/** Settings of {@link readRecords}. */
export interface ReadRecordsOptions {
  /** Called for each line that is no record. Default: throw. */
  readonly onDefect?: OnDefect | undefined;
  /** Keeps the first of records with the same id instead of refusing them. */
  readonly dedupe?: boolean | undefined;
}

/**
 * The records of a JSON-lines file such as `loong.jsonl`, gzip or not.
 *
 * @throws {DataError} with the line for what is no record, a doubled id, and a file without any.
 */
export async function readRecords(
  path: string,
  { onDefect = throwDefect, dedupe = false }: ReadRecordsOptions = {},
): Promise<LoongRecord[]> {
  const lineOf = new Map<string, number>();
  const records: LoongRecord[] = [];
  await eachLine(
    path,
    (text, line) => {
      if (text.trim() === '') return;
      const record = parseRecord(text, { path, line, onDefect });
      if (record === null) return;
      const first = lineOf.get(record.id);
      if (first === undefined) {
        lineOf.set(record.id, line);
        records.push(record);
      } else if (!dedupe) onDefect(doubled(record.id, { path, line, first }));
    },
    { onDefect },
  );
  if (records.length === 0) {
    onDefect(
      new DataError(`${path}: the file holds no questions.`, {
        file: path,
        help: 'give loong.jsonl of the benchmark, or questions.jsonl that "loong build" wrote.',
      }),
    );
  }
  return records;
}

interface LinePlace {
  readonly path: string;
  readonly line: number;
  readonly onDefect: OnDefect;
}

function parseRecord(text: string, { path, line, onDefect }: LinePlace): LoongRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const what = `${path} line ${line}: not JSON (${reason.slice(0, 120)}).`;
    onDefect(new DataError(what, { file: path, line, help: 'one question a line, as JSON.' }));
    return null;
  }
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  onDefect(
    new DataError(`${path} line ${line}: ${field || 'the record'}: ${issue?.message ?? ''}.`, {
      file: path,
      line,
      field,
      help: 'a question has the fields of loong.jsonl; the README lists them.',
    }),
  );
  return null;
}

function doubled(
  id: string,
  { path, line, first }: { readonly path: string; readonly line: number; readonly first: number },
): DataError {
  return new DataError(`${path} line ${line}: the id ${id} stands in line ${first} already.`, {
    file: path,
    line,
    field: 'id',
    help: 'remove one of them, or keep the first ones with --dedupe.',
  });
}

/** An answer as text: canonical JSON for lists and mappings, letters as they are. */
export function answerText(answer: Answer): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}
