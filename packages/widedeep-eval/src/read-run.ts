/**
 * The predictions of a run, one at a time.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, eachLine } from '@lab/core';
import type { Prediction } from '@lab/llm';
import type { Judgement } from './judgement.js';
import { type JudgedSample, judgedSample } from './judged-sample.js';

const filePattern = /^predictions(\.\d+-of-\d+)?\.jsonl$/;

/**
 * Calls `visit` with every prediction of a run, each id once, in the order of the file; a torn last
 * line is left out.
 *
 * @throws {DataError} when the folder has no predictions, or a line of it is none.
 */
export async function eachPrediction(
  dir: string,
  visit: (prediction: Prediction<Judgement>) => void,
): Promise<void> {
  const seen = new Set<string>();
  for (const path of predictionFiles(dir)) {
    let torn: { text: string; line: number } | null = null;
    await eachLine(path, (text, line) => {
      if (torn !== null) throw damaged(path, torn);
      if (text === '') return;
      const prediction = parsePrediction(text);
      if (prediction === null) torn = { text, line };
      else if (!seen.has(prediction.id)) {
        seen.add(prediction.id);
        visit(prediction);
      }
    });
  }
}

function predictionFiles(dir: string): string[] {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => filePattern.test(name)) : [];
  if (names.length > 0) return names.sort().map((name) => join(dir, name));
  throw new DataError(`${dir}: the folder holds no predictions of a run.`, {
    file: dir,
    help: 'give the folder that "widedeep-eval judge --out" wrote; merge shards first.',
  });
}

function parsePrediction(text: string): Prediction<Judgement> | null {
  try {
    const value = JSON.parse(text) as Prediction<Judgement> | null;
    return typeof value?.id === 'string' && typeof value.usage === 'object' ? value : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function damaged(file: string, { text, line }: { text: string; line: number }): DataError {
  return new DataError(`${file} line ${line}: not a prediction.`, {
    ...{ file, line, text },
    help: 'the file was changed by hand or damaged; remove the line, then resume.',
  });
}

/**
 * The judged samples of a run, without their texts.
 *
 * @throws {DataError} as {@link eachPrediction}, and for a line that is no judgement.
 */
export async function readJudgedSamples(dir: string): Promise<JudgedSample[]> {
  const samples: JudgedSample[] = [];
  await eachPrediction(dir, (prediction) => {
    const { output } = prediction;
    if (output !== null && !Array.isArray(output.layers)) {
      throw new DataError(`${dir}: sample ${prediction.id} is no judgement of a network.`, {
        file: dir,
        help: 'give the folder of a run of widedeep-eval.',
      });
    }
    samples.push(judgedSample(prediction));
  });
  return samples;
}
