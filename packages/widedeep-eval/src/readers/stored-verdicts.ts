/**
 * Verdicts that a judge gave earlier, from a file: to evaluate them without asking anybody.
 */
import { DataError } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import { characterCount } from '../floors.js';
import type { JudgedSample } from '../judged-sample.js';
import type { Sample } from '../sample.js';
import type { Verdict } from '../verdict.js';
import { parseLabel } from './gold-label.js';
import type { JsonObject } from './json-file.js';
import { eachObject } from './json-lines.js';
import { readPandalmVerdicts, type StoredVerdict } from './pandalm.js';

const verdictFields = ['verdict', 'prediction', 'predicted', 'label', 'winner'];
const idFields = ['id', 'sample_id', 'idx'];

/**
 * The verdicts of a file: JSON lines or CSV with an id and a verdict in each row, or the list that
 * PandaLM stores. An empty verdict is none.
 *
 * @throws {DataError} with the line for a missing id or what is no verdict.
 */
export async function readStoredVerdicts(path: string): Promise<StoredVerdict[]> {
  if (/\.json(\.gz)?$/i.test(path)) return readPandalmVerdicts(path);
  const verdicts: StoredVerdict[] = [];
  const add = (object: JsonObject, line: number): void => {
    const id = fieldOf(object, idFields);
    const field = verdictFields.find((name) => name in object);
    if (id === undefined || field === undefined) {
      const what = id === undefined ? `an id (${idFields[0]})` : `a verdict (${verdictFields[0]})`;
      throw new DataError(`${path} line ${line}: the row lacks ${what}.`, { file: path, line });
    }
    verdicts.push({ id, verdict: parseLabel(object[field], { file: path, line, field }) });
  };
  if (/\.[ct]sv(\.gz)?$/i.test(path)) {
    let header: readonly string[] = [];
    const onHeader = (heading: string[]): void => {
      header = heading.map((name) => name.trim());
    };
    await readCsv(path, { header: true, onHeader }, (row, line) => {
      add(Object.fromEntries(header.map((name, at) => [name, row[at]])), line);
    });
  } else {
    await eachObject(
      path,
      (defect) => {
        throw defect;
      },
      (object, { line }) => add(object, line),
    );
  }
  return verdicts;
}

function fieldOf(object: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = object[name];
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return `${value}`;
  }
  return undefined;
}

const nothing = {
  aggregates: { voteLast: null, voteAll: null, avgLast: null, avgAll: null },
  outcomes: { '1': 0, '2': 0, tie: 0 },
  votes: [],
  bothOrders: 0,
  conflicts: 0,
  firstPreferred: 0,
  secondPreferred: 0,
  differences: { '12': null, '21': null },
  roles: [],
  layerDifferences: [],
  judgeDifferences: [],
  isUnanimous: false,
  laterAnswers: 0,
  stoppedAfter: null,
  flags: [],
  lengthDifference: null,
  problems: {},
  calls: 0,
  tokens: { in: 0, out: 0 },
  costUsd: null,
} as const;

/** A sample with a verdict whose scores are not known. */
export function sampleWithVerdict(
  { id, dataset, family, gold, system1 = null, system2 = null }: StoredSample,
  verdict: Verdict | null,
): JudgedSample {
  const status = verdict === null ? 'unparsed' : 'ok';
  return { ...nothing, id, dataset, family, gold, status, verdict, system1, system2 };
}

type StoredSample = Pick<Sample, 'dataset' | 'family' | 'gold' | 'id'> & {
  readonly system1?: string | null;
  readonly system2?: string | null;
};

/**
 * Samples with stored verdicts; a sample that has none is unjudged.
 *
 * @throws {DataError} where no id of the file is that of a sample.
 */
export function storedSamples(
  samples: readonly Sample[],
  verdicts: readonly StoredVerdict[],
  path: string,
): JudgedSample[] {
  const byId = new Map(verdicts.map(({ id, verdict }) => [id, verdict]));
  if (!samples.some(({ id }) => byId.has(id))) {
    throw new DataError(
      `${path}: none of its ${byId.size} ids is that of a pair; the first is ` +
        `${JSON.stringify(verdicts[0]?.id ?? '')}, the first pair is ` +
        `${JSON.stringify(samples[0]?.id ?? '')}.`,
      { file: path, help: 'the ids of both files must be the same.' },
    );
  }
  return samples.map((sample) => ({
    ...sampleWithVerdict(sample, byId.get(sample.id) ?? null),
    lengthDifference: characterCount(sample.answer1) - characterCount(sample.answer2),
  }));
}
