/**
 * The page of a run: one file that shows what was asked, what came back and what it cost.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount, formatPercent, hashFile } from '@lab/core';
import { type BigNumber, type RunPage, runPageHtml, writeRunPage } from '@lab/report';
import type { ChatMessage } from '../chat.js';
import { costRemarks } from '../cost-lines.js';
import type { FileRow } from '../rows/row-file.js';
import { shardOf } from '../rows/shard.js';
import { cutText, readRunDigest, type RunDigest } from './run-digest.js';
import { asText } from './exported-run.js';
import type { RunInput } from './run-input.js';
import type { RunPageInput } from './run-page-input.js';
import { latencyFigure, quantile, statusFigure, time } from './run-page-figures.js';
import { runSections, wordsOf } from './run-page-sections.js';
import { commandText, costFacts, environmentFacts, settingRows } from './run-page-record.js';
import { readTimeline, timelineFile } from './run-timeline.js';

/** The name of the page in the folder of a run. */
export const pageFile = 'report.html';

/** A page of a run that was written. */
export interface WrittenRunPage {
  readonly path: string;
  readonly digest: RunDigest;
}

/** Fewer rows are shown rather than a page beyond this. */
const comfortableBytes = 1_500_000;
const maxQuestionLength = 1500;

/**
 * Writes `report.html` into the folder of a run, finished or not.
 *
 * @returns the path of the page, and what it is made of.
 * @throws {DataError} when the folder holds no run, a line of it is none, or it cannot be written.
 */
export async function writePageOfRun(dir: string, source: RunInput): Promise<WrittenRunPage> {
  const path = join(dir, pageFile);
  const predictions = join(dir, 'predictions.jsonl');
  const predictionsHash = existsSync(predictions) ? (await hashFile(predictions)).sha256 : null;
  const timeline = readTimeline(join(dir, timelineFile));
  let digest = await readRunDigest(dir);
  const asked = await readQuestions(digest, source);
  for (;;) {
    const page = runPage({ digest, source, ...asked, timeline, predictionsHash });
    const isSmall = Buffer.byteLength(runPageHtml(page)) <= comfortableBytes;
    if (isSmall || digest.answers.length + digest.problems.length <= 2) {
      writeRunPage(path, page);
      return { path, digest };
    }
    digest = {
      ...digest,
      answers: everySecond(digest.answers),
      problems: everySecond(digest.problems),
    };
  }
}

const everySecond = <T>(entries: readonly T[]): T[] => entries.filter((_, at) => at % 2 === 0);

type Asked = Pick<RunPageInput, 'example' | 'questions' | 'totalRows'>;

/** Reads the input once: counts its rows and keeps what the rows that are shown were asked. */
async function readQuestions(
  digest: RunDigest,
  { rows, messagesOf, slots }: RunInput,
): Promise<Asked> {
  const questions = new Map<string, string>();
  if (rows === undefined) return { questions, totalRows: null, example: null };
  const shown = new Set([...digest.answers, ...digest.problems].map(({ id }) => id));
  const { shard = null } = (digest.record.config.resolved ?? {}) as {
    readonly shard?: { readonly index: number; readonly count: number } | null;
  };
  let totalRows = 0;
  let example: Asked['example'] = null;
  for await (const row of rows()) {
    if (shard !== null && shardOf(row.id, shard.count) !== shard.index) continue;
    totalRows += 1;
    if (!shown.has(row.id)) continue;
    if (slots.length > 0) {
      questions.set(row.id, cutText(slotText(row, slots), maxQuestionLength));
    }
    if (messagesOf !== undefined) example ??= { id: row.id, text: requestText(messagesOf(row)) };
  }
  return { questions, totalRows, example };
}

/** What differs from row to row: the value of a lone slot, or each under its name. */
function slotText(row: FileRow, slots: readonly string[]): string {
  const [only, ...others] = slots;
  if (only === undefined) return '';
  if (others.length === 0) return asText(row[only]);
  return slots.map((name) => `${name}: ${asText(row[name])}`).join('\n');
}

function requestText(messages: readonly ChatMessage[]): string {
  const [only, ...others] = messages;
  if (others.length === 0) return only?.content ?? '';
  return messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n\n');
}

/** The run as a page for `writeRunPage`. */
export function runPage(input: RunPageInput): RunPage {
  const { digest, source } = input;
  const { record } = digest;
  const main = statusFigure(digest, wordsOf) ?? latencyFigure(digest);
  const [data] = record.data;
  const name = data === undefined ? record.label : data.path.split(/[/\\]/).at(-1);
  const sections = runSections(input);
  return {
    title: data === undefined ? record.label : `${record.label} on ${name}`,
    eyebrow: `${record.method} run of ${record.start.slice(0, 10)}, ${record.id}`,
    sentence: sentence(input),
    numbers: bigNumbers(digest),
    ...(main === null ? {} : { mainFigure: main }),
    sections: sections.map((section) => withoutFigure(section, main?.figure.title)),
    cost: costFacts(digest),
    settings: settingRows(record),
    files: record.data,
    command: commandText(record),
    environment: environmentFacts(digest, input.predictionsHash),
    warnings: warnings(digest, source),
  };
}

/** The figure on top stands there only. */
function withoutFigure(section: RunPage['sections'][number], title: string | undefined) {
  const { figures } = section;
  if (figures === undefined) return section;
  return { ...section, figures: figures.filter(({ figure }) => figure.title !== title) };
}

function sentence({ digest, totalRows }: RunPageInput): string {
  const { byStatus, finished, failed, record } = digest;
  const answered = byStatus.get('ok') ?? 0;
  const all = Math.max(totalRows ?? 0, finished + failed);
  const others = [...byStatus].filter(([status]) => status !== 'ok');
  const rest = others.map(([status, count]) => `${formatCount(count)} ${wordsOf(status)}`);
  if (failed > 0) rest.push(`${formatCount(failed)} failed, to be asked again`);
  const waiting = all - finished - failed;
  if (waiting > 0) rest.push(`${formatCount(waiting)} not asked yet`);
  const state = record.status === 'success' ? '' : ` The run is not finished: ${record.status}.`;
  if (rest.length === 0) return `All ${formatCount(all)} rows have an answer.${state}`;
  const head = `${formatCount(answered)} of ${formatCount(all)} rows have an answer`;
  return `${head}; ${rest.join(', ')}.${state}`;
}

function bigNumbers(digest: RunDigest): BigNumber[] {
  const { byStatus, finished, failed, cost, rowMilliseconds } = digest;
  const { costUsd, promptTokens, completionTokens } = cost;
  const answered = byStatus.get('ok') ?? 0;
  const asked = finished + failed;
  const tokens = `${formatCount(promptTokens)} tokens in, ${formatCount(completionTokens)} out`;
  const isCounted = promptTokens + completionTokens > 0;
  const unpriced = isCounted ? 'no price of this model is known' : 'the server counted no tokens';
  const numbers: BigNumber[] = [
    {
      label: 'Rows with an answer',
      value: asked === 0 ? 'none' : formatPercent(answered / asked),
      interval: `${formatCount(answered)} of ${formatCount(asked)} that were asked`,
    },
    {
      label: 'Cost, USD',
      value: costUsd === null || finished === 0 ? 'n/a' : costUsd.toFixed(costUsd < 1 ? 4 : 2),
      interval: costUsd === null ? unpriced : tokens,
      ...(costUsd === null ? { reference: tokens } : {}),
    },
  ];
  if (rowMilliseconds.length === 0) return numbers;
  const sorted = rowMilliseconds.toSorted();
  const slow = time(quantile(sorted, 0.95));
  const median = { label: 'Time of a row, median', value: time(quantile(sorted, 0.5)) };
  return [...numbers, { ...median, interval: `19 of 20 rows took up to ${slow}` }];
}

function warnings(digest: RunDigest, source: RunInput): string[] {
  const { record, byServedModel, remarks, failed, cost } = digest;
  const { adaptations = [], structuredLevel } = (record.results ?? {}) as {
    readonly adaptations?: readonly string[];
    readonly structuredLevel?: string | null;
  };
  const found = [...remarks];
  if (record.error !== null) found.push(record.error.message);
  if (record.status !== 'success' || failed > 0) {
    found.push('Rows are missing; "llm run --resume" with the folder of the run goes on.');
  }
  if (byServedModel.size > 1) {
    const models = [...byServedModel].map(([name, rows]) => `${name} (${formatCount(rows)} rows)`);
    found.push(`More than one model answered: ${models.join(', ')}.`);
  }
  for (const name of adaptations) found.push(`The server does not take a parameter: ${name}.`);
  if (structuredLevel === 'prompt' || structuredLevel === 'json-object') {
    found.push(`The server takes no schema; answers were asked for by ${structuredLevel}.`);
  }
  found.push(...costRemarks(cost));
  const gone = source.remarks.map((text) => `${text[0]?.toUpperCase()}${text.slice(1)}.`);
  return [...found, ...gone];
}
