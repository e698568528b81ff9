/**
 * The benchmark LLMEval^2: JSON lines with query, two responses, the verdict of people, data set.
 */
import { DataError, nearest, type OnDefect, throwDefect } from '@lab/core';
import { llmeval2Datasets } from '../dataset-map.js';
import { type Sample, sampleId } from '../sample.js';
import { parseLabel } from './gold-label.js';
import { textField } from './json-file.js';
import { eachObject } from './json-lines.js';

/**
 * The pairs of LLMEval^2 (2,553 in the released file). Ids are digests of the texts; pairs that
 * occur twice get a number behind it.
 *
 * @throws {DataError} with the line for a missing field, an unknown label or data set.
 */
export async function readLlmeval2(
  path: string,
  onDefect: OnDefect = throwDefect,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const counts = new Map<string, number>();
  await eachObject(path, onDefect, (object, place) => {
    const question = textField(object, 'query', place);
    const answer1 = textField(object, 'response1', place);
    const answer2 = textField(object, 'response2', place);
    const dataset = textField(object, 'dataset', place);
    const digest = sampleId(question, answer1, answer2);
    const count = (counts.get(digest) ?? 0) + 1;
    counts.set(digest, count);
    samples.push({
      id: count === 1 ? digest : `${digest}-${count}`,
      dataset,
      family: familyOfDataset(dataset, place),
      ...{ question, answer1, answer2 },
      gold: parseLabel(object['human'], { ...place, field: 'human' }),
    });
  });
  return samples;
}

function familyOfDataset(dataset: string, place: { file: string; line: number }): string {
  const facts = Object.hasOwn(llmeval2Datasets, dataset) ? llmeval2Datasets[dataset] : undefined;
  if (facts !== undefined) return facts.family;
  const names = Object.keys(llmeval2Datasets);
  const close = nearest(dataset, names);
  throw new DataError(
    `${place.file} line ${place.line}: the data set ${JSON.stringify(dataset)} is not known.`,
    {
      ...place,
      field: 'dataset',
      help: close === undefined ? `known are ${names.join(', ')}.` : `did you mean ${close}?`,
    },
  );
}
