/**
 * LLMBar and its processed copies of other sets: instruction, two outputs, which one is better.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataError, type OnDefect, reportDefect, throwDefect } from '@lab/core';
import { type Sample, sampleId } from '../sample.js';
import { parseLabel } from './gold-label.js';
import { type ItemPlace, readJsonList, textField } from './json-file.js';

/**
 * The pairs of a file of LLMBar, or of all such files of a folder; the name of a file is the data
 * set of its pairs. There are no ties.
 *
 * @throws {DataError} with the number of the item for what is missing or no label.
 */
export async function readLlmbar(
  path: string,
  onDefect: OnDefect = throwDefect,
): Promise<Sample[]> {
  if (!existsSync(path)) throw new DataError(`${path}: no such file.`, { file: path });
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.json(\.gz)?$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  const samples: Sample[] = [];
  for (const file of files) samples.push(...(await readFile(file, onDefect)));
  return samples;
}

async function readFile(file: string, onDefect: OnDefect): Promise<Sample[]> {
  const dataset = basename(file).replace(/\.json(\.gz)?$/, '');
  const samples: Sample[] = [];
  const counts = new Map<string, number>();
  for (const [at, object] of (await readJsonList(file)).entries()) {
    const place: ItemPlace = { file, line: at + 1 };
    const sample = reportDefect(onDefect, (): Sample => {
      const question = textField(object, 'input', place);
      const answer1 = textField(object, 'output_1', place);
      const answer2 = textField(object, 'output_2', place);
      const digest = `${dataset}:${sampleId(question, answer1, answer2)}`;
      const count = (counts.get(digest) ?? 0) + 1;
      counts.set(digest, count);
      return {
        id: count === 1 ? digest : `${digest}-${count}`,
        ...{ dataset, family: 'qa', question, answer1, answer2 },
        gold: parseLabel(object['label'], { ...place, field: 'label' }),
      };
    });
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}
