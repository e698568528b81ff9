/**
 * The human-labelled test set of PandaLM, and the verdicts of judges that are stored beside it.
 */
import { DataError, type OnDefect, reportDefect, throwDefect } from '@lab/core';
import type { Sample } from '../sample.js';
import type { Verdict } from '../verdict.js';
import { parseLabel } from './gold-label.js';
import { type ItemPlace, type JsonObject, readJsonList, textField } from './json-file.js';

const annotatorFields = ['annotator1', 'annotator2', 'annotator3'] as const;

/**
 * The pairs of PandaLM (999 in the released file), the verdict of most of three annotators as gold;
 * without a majority it is a tie.
 *
 * @throws {DataError} with the number of the item for what is missing or no label.
 */
export async function readPandalm(
  path: string,
  onDefect: OnDefect = throwDefect,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [at, object] of (await readJsonList(path)).entries()) {
    const place: ItemPlace = { file: path, line: at + 1 };
    const sample = reportDefect(onDefect, (): Sample => {
      const annotators = annotatorFields.map((field) => label(object[field], field, place));
      const instruction = scalarText(object, 'instruction', place);
      const input = scalarText(object, 'input', place);
      return {
        id: `${idOf(object['idx'], place)}`,
        dataset: 'pandalm',
        family: 'qa',
        question: input === '' ? instruction : `${instruction}\n\n${input}`,
        answer1: scalarText(object, 'response1', place),
        answer2: scalarText(object, 'response2', place),
        gold: majority(annotators),
        annotators,
        ...systemsOf(object['cmp_key']),
      };
    });
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}

/** A text, or a value that stands for one: the released file has answers that are `true`. */
function scalarText(object: JsonObject, field: string, place: ItemPlace): string {
  const value = object[field];
  const isScalar = typeof value === 'boolean' || typeof value === 'number';
  return isScalar ? `${value}` : textField(object, field, place);
}

/** Systems by the key of the comparison, e.g. `bloom-7b_llama-7b`. */
function systemsOf(key: unknown): Pick<Sample, 'system1' | 'system2'> {
  const [system1, system2, more] = typeof key === 'string' ? key.split('_') : [];
  if (system1 === undefined || system2 === undefined || more !== undefined) return {};
  return { system1, system2 };
}

function idOf(value: unknown, { file, line }: ItemPlace): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new DataError(`${file} item ${line}: idx is missing.`, { file, line, field: 'idx' });
}

function label(value: unknown, field: string, place: ItemPlace): Verdict {
  const verdict = parseLabel(value, { ...place, field });
  if (verdict !== null) return verdict;
  throw new DataError(`${place.file} item ${place.line}: ${field} has no label.`, {
    ...{ file: place.file, line: place.line, field },
  });
}

/** The verdict of more than half, else a tie. */
export function majority(verdicts: readonly Verdict[]): Verdict {
  for (const verdict of ['1', '2'] as const) {
    if (2 * verdicts.filter((vote) => vote === verdict).length > verdicts.length) return verdict;
  }
  return 'tie';
}

/** A verdict that a judge gave earlier. */
export interface StoredVerdict {
  readonly id: string;
  /** Null where the judge's answer is none. */
  readonly verdict: Verdict | null;
}

/**
 * The verdicts of a judge as PandaLM stores them: `pandalm_result` or `gpt_result` by `idx`;
 * "garbage" is no verdict.
 *
 * @throws {DataError} for an item without a result.
 */
export async function readPandalmVerdicts(path: string): Promise<StoredVerdict[]> {
  const list = await readJsonList(path);
  return list.map((object, at) => {
    const place: ItemPlace = { file: path, line: at + 1 };
    const field = 'pandalm_result' in object ? 'pandalm_result' : 'gpt_result';
    const verdict = parseLabel(object[field], { ...place, field }, { garbage: null });
    return { id: `${idOf(object['idx'], place)}`, verdict };
  });
}
