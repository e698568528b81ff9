/** `build`: a benchmark of your own documents. */
import { join } from 'node:path';
import {
  collectDefects,
  ConfigError,
  DataError,
  formatCount,
  formatCounted,
  makeFolder,
} from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  defectList,
  defectsError,
  table,
} from '@lab/core/cli';
import { callFlags, countOf, modelFlags, textOf, waitingFlags } from '@lab/llm/commands';
import {
  benchmarkFiles,
  factsOfTables,
  knownFacts,
  unsaidFacts,
  writeBenchmark,
} from '../build/benchmark.js';
import { type Fact, readFacts, writeFacts } from '../build/fact.js';
import { makeQuestions } from '../build/make-questions.js';
import {
  labelledFacts,
  proposeFacts,
  readDecidedFacts,
  writeFactReview,
} from '../build/propose.js';
import {
  documentEndings,
  type OwnDocument,
  readOwnDocuments,
  unreadEndings,
} from '../build/read-documents.js';
import { readDecidedQuestions, type TextQuestion, textRecords } from '../build/text-questions.js';
import { countsTable } from '../report/figures.js';
import { type BuildPlace, offerQuestions } from './build-questions.js';
import { createFailedProposals, type FailedProposals } from './failed-proposals.js';
import { openModel } from './session.js';

/** The verb `build`. */
export const buildCommand: CliCommand = {
  name: 'build',
  summary: 'Make questions about your own documents, with gold answers that follow from values.',
  options: [
    { flags: '--docs <dir>', summary: 'documents: text, Markdown, HTML, PDF, Word, CSV' },
    { flags: '--facts <file>', summary: 'table doc, attribute, value, unit, entity, period' },
    { flags: '--reviewed <file>', summary: 'what the review page of values gave back' },
    {
      flags: '--text-questions <n>',
      summary: 'have a model propose so many about texts, for a review page',
      kind: 'integer',
    },
    {
      flags: '--reviewed-questions <file>',
      summary: 'what the review page of questions gave back',
    },
    { flags: '--out <dir>', summary: 'folder of the benchmark' },
    {
      flags: '--lengths <list>',
      summary: 'tokens of each length set at most, one to four',
      kind: 'list',
      unit: 'default 8000,16000,32000,64000',
    },
    {
      flags: '--per-cell <n>',
      summary: 'questions of each kind and set',
      kind: 'integer',
      default: 2,
    },
    { flags: '--seed <n>', summary: 'of all draws', kind: 'integer', default: 1 },
    ...modelFlags,
    ...callFlags,
    ...waitingFlags,
  ],
  example: 'loong build --docs reports --facts values.csv --out my-benchmark',
  run: (context, input) => run(context, input),
};

type Flags = Readonly<Record<string, unknown>>;

async function run(context: CliContext, { options }: CliInput): Promise<void> {
  const [docs, out] = [textOf(options, 'docs'), textOf(options, 'out')];
  if (docs === undefined || out === undefined) {
    throw new ConfigError(`${docs === undefined ? '--docs DIR' : '--out DIR'} is missing.`, {
      help: 'e.g. "loong build --docs reports --out my-benchmark".',
    });
  }
  const collected = collectDefects();
  const documents = await readOwnDocuments(docs, collected.onDefect);
  noteUnread(context, docs);
  const given = await givenFacts(documents, options, collected.onDefect);
  if (collected.count > 0) {
    context.print(`${defectList(collected, context.width)}\n`);
    throw defectsError(collected);
  }
  if (options['textQuestions'] !== undefined) {
    return offerQuestions(context, documents, { options, out, docs });
  }
  const decided = textOf(options, 'reviewedQuestions');
  const texts = decided === undefined ? [] : await readDecidedQuestions(decided);
  const silent = withoutFacts(documents, given);
  if (given.length === 0 && texts.length === 0) {
    return offerReview(context, silent, { options, out, docs });
  }
  noteUnsaid(context, given, documents);
  const { records, notes } = await allQuestions({ documents, facts: given, texts, options });
  if (records.length === 0) {
    // Tables of a few documents may share no attribute: then their texts are looked at as well.
    const isAsked = ['facts', 'reviewed'].some((name) => textOf(options, name) !== undefined);
    if (isAsked || decided !== undefined || silent.length === 0) throw nothingMade(docs, notes);
    return offerReview(context, silent, { options, out, docs });
  }
  if (silent.length > 0 && texts.length === 0) noteSilent(context, silent.length);
  await writeBenchmark(out, { records, documents, facts: given });
  for (const note of notes.slice(0, 5)) context.note(note);
  if (notes.length > 5) context.note(`and ${notes.length - 5} more cells are not full`);
  context.print(table(countsTable(records)));
  context.print(
    `${formatCounted(records.length, 'question')} of ${formatCounted(given.length, 'value')}` +
      `${texts.length === 0 ? '' : ` and ${formatCounted(texts.length, 'text')}`} in ` +
      `${formatCounted(documents.length, 'document')}: ${out}\n`,
  );
  const data = join(out, benchmarkFiles.questions);
  context.print(`next: loong run --data ${data} --base-url URL --model NAME --out runs/first\n`);
  const facts = { questions: records.length, values: given.length, documents: documents.length };
  context.printJson({ run: null, status: 'success', metrics: null, out, ...facts, notes });
}

const withoutFacts = (documents: readonly OwnDocument[], facts: readonly Fact[]): OwnDocument[] => {
  const named = new Set(facts.map(({ doc }) => doc));
  return documents.filter(({ name }) => !named.has(name));
};

function noteSilent(context: CliContext, count: number): void {
  context.note(
    `${formatCounted(count, 'document')} without a value: no question is about them; give their ` +
      'values with --facts.',
  );
}

function noteUnread(context: CliContext, docs: string): void {
  const unread = [...unreadEndings(docs)];
  if (unread.length === 0) return;
  const count = unread.reduce((sum, [, files]) => sum + files, 0);
  const names = unread.map(([ending, files]) => `${ending || 'no ending'} ${formatCount(files)}`);
  context.note(
    `warning: ${formatCounted(count, 'file')} left out (${names.join(', ')}); read are ` +
      `${documentEndings.join(', ')}.`,
  );
}

function noteUnsaid(
  context: CliContext,
  given: readonly Fact[],
  documents: readonly OwnDocument[],
): void {
  const unsaid = unsaidFacts(given, documents);
  const [first] = unsaid;
  if (first === undefined) return;
  const { doc, attribute, value } = first;
  context.note(
    `warning: ${formatCount(unsaid.length)} of ${formatCount(given.length)} values do not ` +
      `stand in their documents as given, e.g. "${attribute}" ${value} in "${doc}".`,
  );
}

interface Material {
  readonly documents: readonly OwnDocument[];
  readonly facts: readonly Fact[];
  readonly texts: readonly TextQuestion[];
  readonly options: Flags;
}

/** Questions of values, and those about texts that somebody kept. */
async function allQuestions({ documents, facts, texts, options }: Material) {
  const lengths = lengthsOf(options);
  const settings = {
    perCell: countOf(options, 'perCell', '--per-cell'),
    seed: Number(options['seed']),
  };
  const made =
    facts.length === 0
      ? { records: [], notes: [] }
      : await makeQuestions({ documents, facts, lengths, ...settings });
  const open = await textRecords(texts, documents, lengths);
  return {
    records: [...made.records, ...open.records],
    notes: [...open.notes, ...made.notes],
  };
}

function nothingMade(docs: string, notes: readonly string[]): DataError {
  return new DataError(`${docs}: no question can be made of these documents.`, {
    file: docs,
    help: `at least two documents must share an attribute, within --lengths; ${notes[0] ?? ''}.`,
  });
}

/** @throws {ConfigError} for what is no length. */
function lengthsOf(options: Flags): number[] {
  const given = options['lengths'];
  if (!Array.isArray(given)) return [8000, 16_000, 32_000, 64_000];
  return given.map((text) => {
    const length = Number(text);
    if (Number.isInteger(length) && length >= 100) return length;
    throw new ConfigError(`--lengths ${JSON.stringify(text)} is no number of tokens from 100 on.`);
  });
}

/** The facts that need nobody's decision: those of a table, of a review, and of table documents. */
async function givenFacts(
  documents: readonly OwnDocument[],
  options: Flags,
  onDefect: (defect: DataError) => void,
): Promise<Fact[]> {
  const [file, reviewed] = [textOf(options, 'facts'), textOf(options, 'reviewed')];
  const listed = file === undefined ? [] : await readFacts(file, onDefect);
  const decided = reviewed === undefined ? [] : await readDecidedFacts(reviewed);
  const named = knownFacts([...listed, ...decided], documents, onDefect);
  const known = new Set(named.map(({ doc, attribute }) => `${doc}\n${attribute}`));
  const further = factsOfTables(documents);
  return [...named, ...further.filter(({ doc, attribute }) => !known.has(`${doc}\n${attribute}`))];
}

/** Of texts no value is taken unseen: what was found is put on a page, to be decided. */
async function offerReview(
  context: CliContext,
  documents: readonly OwnDocument[],
  { options, out, docs }: BuildPlace,
): Promise<void> {
  const failed = createFailedProposals();
  const found = await proposals(context, documents, { options, failed });
  failed.note(context, 'document');
  if (found.length === 0) {
    throw new DataError(`${docs}: no values were found in these documents.`, {
      file: docs,
      help: 'give a table with --facts, or a model that finds them: --model and --base-url.',
    });
  }
  makeFolder(out);
  await writeFacts(join(out, benchmarkFiles.candidates), found);
  const page = join(out, benchmarkFiles.review);
  const fileName = 'reviewed.csv';
  const command = `loong build --docs ${docs} --reviewed ${fileName} --out ${out}`;
  writeFactReview(page, found, { command, fileName });
  context.print(
    `${formatCount(found.length)} values were found in ${formatCount(documents.length)} texts; ` +
      `decide which are right:\n${page}\nthen: ${command}\n`,
  );
  const facts = { candidates: found.length, review: page, failed: failed.list() };
  context.printJson({ run: null, status: 'success', metrics: null, out, ...facts });
}

async function proposals(
  context: CliContext,
  documents: readonly OwnDocument[],
  { options, failed }: { readonly options: Flags; readonly failed: FailedProposals },
): Promise<Fact[]> {
  if (textOf(options, 'model') === undefined) return documents.flatMap(labelledFacts);
  const session = await openModel({ context, options });
  try {
    return await proposeFacts(documents, {
      client: session.client,
      signal: context.signal,
      onProgress: (done) => {
        context.progress.update(`build  ${done}/${documents.length} documents`);
      },
      onFailure: (document, failure) => failed.add([document], failure),
    });
  } finally {
    context.progress.done();
    await session.close();
  }
}
