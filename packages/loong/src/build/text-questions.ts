/**
 * Questions about texts, as a model proposes them; people decide which are good.
 *
 * Unlike questions of values nothing proves their gold answers, so none is used unseen.
 */
import { createRandom, DataError, sha256 } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { isSampleFailure, type LlmClient, LlmFailure, parsePrompt } from '@lab/llm';
import { writeReviewPage } from '@lab/report';
import { z } from 'zod';
import type { LoongRecord } from '../record.js';
import { countJoined } from '../tokens.js';
import { builtTemplate, instructions } from './question-texts.js';
import type { OwnDocument } from './read-documents.js';

/** A question about several texts, with the passage of each that it needs. */
export interface TextQuestion {
  readonly docs: readonly string[];
  /** 2 comparison, 3 clustering, 4 chain of reasoning. */
  readonly level: 2 | 3 | 4;
  readonly question: string;
  readonly answer: string;
  /** A passage of each document, in their order. */
  readonly quotes: readonly string[];
}

const levels = { comparison: 2, clustering: 3, chain: 4 } as const;

const schema = z.object({
  evidence: z.array(z.object({ document: z.int(), quote: z.string() })),
  kind: z.enum(['comparison', 'clustering', 'chain']),
  question: z.string(),
  answer: z.string(),
});

const prompt = parsePrompt(`Below are {{count}} documents, numbered. Make one question that nobody
can answer who has not read every one of them: it compares what they say ("comparison"), sorts them
by it ("clustering"), or goes from one to the next ("chain"). Its answer must be short, certain and
the only right one. The question must not name passages or numbers of documents; call documents by
their titles where you have to. Write in {{language}}.

{{documents}}

Give "evidence": for every document, by its number, the one passage that the question needs, copied
word for word, at most 300 characters; then "kind", "question" and "answer".`);

/** Settings of {@link proposeTextQuestions}. */
export interface ProposeTextOptions {
  readonly client: LlmClient;
  /** Requests; a proposal that fails a check is not asked again. */
  readonly count: number;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Told of documents for which the model gave nothing: refused, cut, too long, or no data. */
  readonly onFailure?: ((documents: readonly string[], failure: LlmFailure) => void) | undefined;
}

/** Characters of each document that a model is shown. */
const shownCharacters = 20_000;
const [fewest, most] = [2, 4];

/**
 * Questions that a model finds about two to four documents of one domain and language, drawn at
 * random. Only those are kept that quote every one of their documents word for word; they are
 * proposals until somebody has looked at them.
 *
 * @throws {LlmFailure} that says something about the server; what fails for its documents alone
 *   goes to `onFailure`.
 */
export async function proposeTextQuestions(
  documents: readonly OwnDocument[],
  options: ProposeTextOptions,
): Promise<TextQuestion[]> {
  const { count, seed = 1, onProgress } = options;
  const found = new Map<string, TextQuestion>();
  for (const [index, drawn] of drawnGroups(documents, count, seed).entries()) {
    const question = await proposed(drawn, options);
    if (question !== null) found.set(question.question, question);
    onProgress?.(index + 1);
  }
  return [...found.values()];
}

function drawnGroups(
  documents: readonly OwnDocument[],
  count: number,
  seed: number,
): OwnDocument[][] {
  const groups = new Map<string, OwnDocument[]>();
  for (const document of documents) {
    const key = `${document.type}\n${document.language}`;
    groups.set(key, [...(groups.get(key) ?? []), document]);
  }
  const large = [...groups.values()].filter((group) => group.length >= fewest);
  const random = createRandom(seed).fork('text-questions');
  return large.length === 0
    ? []
    : Array.from({ length: count }, (_, at) => {
        const group = [...large[at % large.length]!];
        random.shuffle(group);
        const size = fewest + random.integer(Math.min(most, group.length) - fewest + 1);
        return group.slice(0, size);
      });
}

async function proposed(
  documents: readonly OwnDocument[],
  { client, signal, onFailure }: ProposeTextOptions,
): Promise<TextQuestion | null> {
  const blocks = documents.map(({ title, text }, at) =>
    parsePrompt('{{document|block}}').fill({
      document: `${at + 1}. 《${title}》\n${text.slice(0, shownCharacters)}`,
    }),
  );
  const language = documents[0]?.language === 'zh' ? 'Chinese' : 'English';
  const content = prompt.fill({
    ...{ count: documents.length, language, documents: blocks.join('\n\n') },
  });
  try {
    const messages = [{ role: 'user', content }] as const;
    const { json } = await client.json({ messages, maxTokens: 2048, signal }, schema);
    return checkedQuestion(documents, json);
  } catch (error) {
    if (!(error instanceof LlmFailure) || !isSampleFailure(error.kind)) throw error;
    onFailure?.(
      documents.map(({ name }) => name),
      error,
    );
    return null;
  }
}

/** The proposal; null where a document is not quoted, or not word for word. */
function checkedQuestion(
  documents: readonly OwnDocument[],
  { evidence, kind, question, answer }: z.infer<typeof schema>,
): TextQuestion | null {
  const flat = (words: string) => words.replace(/\s+/g, ' ').trim();
  const quotes = documents.map(({ text }, at) => {
    const said = evidence.find((one) => one.document === at + 1)?.quote ?? '';
    return flat(said) !== '' && flat(text).includes(flat(said)) ? said.trim() : null;
  });
  if (quotes.includes(null) || question.trim() === '' || answer.trim() === '') return null;
  return {
    docs: documents.map(({ name }) => name),
    level: levels[kind],
    ...{ question: question.trim(), answer: answer.trim(), quotes: quotes as string[] },
  };
}

/** Headings of the table of proposals; lists are JSON. */
export const textQuestionColumns = ['docs', 'level', 'question', 'answer', 'quotes'] as const;

/** Writes the page on which proposals are decided; it gives them back as CSV with a decision. */
export function writeQuestionReview(
  path: string,
  questions: readonly TextQuestion[],
  { command, fileName }: { readonly command: string; readonly fileName: string },
): void {
  writeReviewPage(path, {
    title: 'Are these good questions?',
    sentence:
      '"Yes" keeps a question whose answer is right, the only one, and needs every passage; "no" ' +
      'and undecided leave it out; "another one" puts the answer that you type in its place.',
    columns: textQuestionColumns,
    ...{ fileName, command },
    questions: questions.map(({ docs, level, question, answer, quotes }) => ({
      cells: [JSON.stringify(docs), `${level}`, question, answer, JSON.stringify(quotes)],
      source: question,
      target: answer,
      names: docs.map((name, at) => ({ label: name, value: quotes[at] ?? '' })),
      why: 'each document has a passage that the answer needs',
      ...{ measures: [], others: [] },
    })),
  });
}

/**
 * The questions of a reviewed table: those decided `yes`, and those with another answer.
 *
 * @throws {DataError} with the line for what the page did not write.
 */
export async function readDecidedQuestions(path: string): Promise<TextQuestion[]> {
  const questions: TextQuestion[] = [];
  let names: readonly string[] = [];
  const onHeader = (header: string[]): void => {
    names = header.map((name) => name.trim().toLowerCase());
    const missing = [...textQuestionColumns, 'decision'].find((name) => !names.includes(name));
    if (missing === undefined) return;
    throw new DataError(`${path}: the table has no column "${missing}".`, {
      file: path,
      help: 'give the file that the review page of questions downloads.',
    });
  };
  await readCsv(path, { header: true, onHeader }, (row, line) => {
    const cell = (name: string) => row[names.indexOf(name)]?.trim() ?? '';
    const decision = cell('decision');
    if (decision === '' || decision === 'no') return;
    const parsed = rowSchema.safeParse({
      docs: listOf(cell('docs')),
      level: Number(cell('level')),
      question: cell('question'),
      answer: decision === 'yes' ? cell('answer') : decision,
      quotes: listOf(cell('quotes')),
    });
    if (parsed.success) questions.push(parsed.data);
    else {
      throw new DataError(`${path} line ${line}: ${parsed.error.issues[0]?.path.join('.')}.`, {
        ...{ file: path, line, help: 'leave all columns but the decision as the page wrote them.' },
      });
    }
  });
  return questions;
}

const rowSchema = z.object({
  docs: z.array(z.string().min(1)).min(fewest),
  level: z.literal([2, 3, 4]),
  question: z.string().min(1),
  answer: z.string().min(1),
  quotes: z.array(z.string()),
});

function listOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // the schema names the column
  }
}

/** Questions as records, and what could not be one. */
export interface TextRecords {
  readonly records: readonly LoongRecord[];
  readonly notes: readonly string[];
}

/**
 * Reviewed questions as records of a benchmark, each in the first length set that holds it.
 *
 * @param lengths - tokens of the prompts of each length set at most, rising.
 */
export async function textRecords(
  questions: readonly TextQuestion[],
  documents: readonly OwnDocument[],
  lengths: readonly number[],
): Promise<TextRecords> {
  const byName = new Map(documents.map((document) => [document.name, document]));
  const [records, notes]: [LoongRecord[], string[]] = [[], []];
  for (const { docs, level, question, answer } of questions) {
    const own = docs.map((name) => byName.get(name));
    const [first] = own;
    const about = `"${question.slice(0, 60)}"`;
    if (first === undefined || own.includes(undefined)) {
      notes.push(`${about}: a document of it is not there`);
      continue;
    }
    const instruction = instructions[first.language];
    const blocks = own.map((one) => `《${one!.title}》\n${one!.text.trimEnd()}\n\n`);
    const length = await countJoined([...blocks, `${instruction}\n\n${question}`]);
    const set = lengths.findIndex((least) => length <= least) + 1;
    if (set === 0) {
      notes.push(`${about}: ${length} tokens are more than the longest length`);
      continue;
    }
    records.push({
      ...{ level, set: set as LoongRecord['set'], length, type: first.type },
      ...{ language: first.language, question, instruction, prompt_template: builtTemplate },
      ...{ doc: docs, answer, shuffle_doc: true, subtask: 'open-question' },
      id: sha256(JSON.stringify(['text', question, docs])).slice(0, 16),
    });
  }
  return { records, notes };
}
