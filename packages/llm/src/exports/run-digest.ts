/**
 * A run in numbers and a few of its rows, read line by line: a million rows are no million objects.
 */
import { readRunRecord, type RunRecord } from '@lab/core';
import { idKey, KeyTable } from '../key-table.js';
import { CostSums, type RunCost } from '../rows/cost-record.js';
import type { Prediction, RowFailure, RowTiming } from '../rows/row-record.js';
import { EvenSample } from './even-sample.js';
import { asText } from './exported-run.js';
import { eachRecord } from './run-records.js';

/** A finished row as a page shows it. */
export interface ShownRow {
  readonly id: string;
  readonly status: string;
  /** The answer, or what stands for it; cut where it is very long. */
  readonly text: string;
  /** What is wrong with it; null for an answer. */
  readonly problem: string | null;
}

/** Failed rows with the same reason. */
export interface FailureGroup {
  readonly kind: string;
  readonly httpStatus: number | null;
  readonly count: number;
  /** Of the first of them. */
  readonly id: string;
  readonly message: string;
}

/** A run in numbers and a few of its rows. */
export interface RunDigest {
  readonly record: RunRecord;
  readonly finished: number;
  /** Finished rows by status, most frequent first. */
  readonly byStatus: ReadonlyMap<string, number>;
  /** Finished rows by the model that the server named. */
  readonly byServedModel: ReadonlyMap<string, number>;
  /** Answers in JSON by how far they had to be mended. */
  readonly byOrigin: ReadonlyMap<string, number>;
  readonly failed: number;
  readonly failures: readonly FailureGroup[];
  readonly cost: RunCost;
  /** Milliseconds of rows that were sent, in the order in which they ended. */
  readonly rowMilliseconds: Float64Array;
  /** Rows by how many requests they took; 0 for those from the cache. */
  readonly byRequests: ReadonlyMap<number, number>;
  /** Some answers, evenly spaced. */
  readonly answers: readonly ShownRow[];
  /** Some finished rows without a whole answer, evenly spaced. */
  readonly problems: readonly ShownRow[];
  /** What is odd about the files, as sentences. */
  readonly remarks: readonly string[];
}

/** How much of a run is shown. */
export interface DigestOptions {
  /** Answers; default 100. */
  readonly answers?: number | undefined;
  /** Rows without an answer; default 50. */
  readonly problems?: number | undefined;
}

/** Longer texts are cut on the page. */
const maxTextLength = 2000;

/** A text of at most so many characters, with a word on what is missing. */
export function cutText(text: string, length = maxTextLength): string {
  if (text.length <= length) return text;
  const start = text.slice(0, length).replace(/[\ud800-\udbff]$/u, '');
  return `${start}\n[cut: ${length} of ${text.length} characters]`;
}

/**
 * The digest of the run in a folder, finished or not.
 *
 * @throws {DataError} when the folder holds no run, or a line of it is none.
 */
export async function readRunDigest(dir: string, options: DigestOptions = {}): Promise<RunDigest> {
  const record = readRunRecord(dir);
  const remarks: string[] = [];
  const onTorn = (path: string): void => {
    remarks.push(`The last line of ${path} is not whole; resuming the run removes it.`);
  };
  const failures = new Map<string, RowFailure>();
  const rows = new FinishedRows(options);
  const visitFailure = (failure: RowFailure): void => {
    failures.set(failure.id, failure);
  };
  await eachRecord(dir, 'failures', visitFailure, onTorn);
  const visit = (prediction: Prediction): void => {
    failures.delete(prediction.id);
    rows.add(prediction);
  };
  await eachRecord(dir, 'predictions', visit, onTorn);
  const times = new RowTimes();
  const visitTiming = (timing: RowTiming): void => {
    times.add(timing);
    rows.addTiming(timing);
  };
  await eachRecord(dir, 'timings', visitTiming, onTorn);
  return {
    record,
    ...rows.summary(),
    ...times.summary(),
    failed: failures.size,
    failures: groupsOf(failures.values()),
    remarks,
  };
}

/** Numbers and samples of finished rows. */
class FinishedRows {
  readonly #ids = new KeyTable(2);
  readonly #byStatus = new Map<string, number>();
  readonly #byServedModel = new Map<string, number>();
  readonly #byOrigin = new Map<string, number>();
  readonly #answers: EvenSample<ShownRow>;
  readonly #problems: EvenSample<ShownRow>;
  readonly #costs = new CostSums();

  constructor({ answers = 100, problems = 50 }: DigestOptions) {
    this.#answers = new EvenSample(answers);
    this.#problems = new EvenSample(problems);
  }

  add(prediction: Prediction): void {
    // Of a row that was asked twice the first line counts, as it does for the run.
    if (!this.#ids.add(idKey(prediction.id)).isNew) return;
    const { status } = prediction;
    const { servedModel, origin } = prediction as { servedModel?: unknown; origin?: unknown };
    count(this.#byStatus, status);
    if (typeof servedModel === 'string') count(this.#byServedModel, servedModel);
    if (typeof origin === 'string') count(this.#byOrigin, origin);
    this.#costs.add(prediction);
    const sample = status === 'ok' ? this.#answers : this.#problems;
    sample.add(() => shownRow(prediction));
  }

  /** What was paid for a row without getting anything. */
  addTiming(timing: RowTiming): void {
    this.#costs.addWasted(timing);
  }

  summary() {
    return {
      finished: this.#ids.size,
      byStatus: byCount(this.#byStatus),
      byServedModel: byCount(this.#byServedModel),
      byOrigin: byCount(this.#byOrigin),
      cost: this.#costs.cost(),
      answers: this.#answers.entries(),
      problems: this.#problems.entries(),
    };
  }
}

function shownRow({ id, status, output, problem, body }: Prediction): ShownRow {
  const text = output === null ? (body ?? '') : asText(output);
  return { id, status, text: cutText(text), problem: problem ?? null };
}

/** How long rows took, and how many requests. */
class RowTimes {
  readonly #milliseconds: number[] = [];
  readonly #byRequests = new Map<number, number>();

  add({ milliseconds, attempts }: RowTiming): void {
    count(this.#byRequests, attempts);
    if (attempts > 0) this.#milliseconds.push(milliseconds);
  }

  summary() {
    return {
      rowMilliseconds: Float64Array.from(this.#milliseconds),
      byRequests: new Map([...this.#byRequests].sort(([a], [b]) => a - b)),
    };
  }
}

function groupsOf(failures: Iterable<RowFailure>): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { id, kind, httpStatus, message } of failures) {
    const key = `${kind} ${httpStatus}`;
    const group = groups.get(key) ?? { kind, httpStatus, count: 0, id, message };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function byCount(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
