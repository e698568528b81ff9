/**
 * FairEval: questions, a file of answers for each system, and one file of human verdicts; also for
 * own answer files in this layout.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, eachLine, type OnDefect, throwDefect } from '@lab/core';
import type { Sample } from '../sample.js';
import type { Verdict } from '../verdict.js';
import { textField } from './json-file.js';
import { eachObject } from './json-lines.js';

/** Which systems are compared. */
export interface FairevalOptions {
  /**
   * Names of answer files (`answer_NAME.jsonl`), two or more; each is set against each. Default:
   * those that the human verdicts are about, else all.
   */
  readonly systems?: readonly string[] | undefined;
  readonly onDefect?: OnDefect | undefined;
}

const humanPattern = /^review_(.+)_human\.txt$/;
/** In the file of human verdicts a line is the name of the better system, or TIE. */
const humanNames: Readonly<Record<string, string>> = { chatgpt: 'gpt35', vicuna13b: 'vicuna-13b' };

/**
 * The pairs of a folder with `question.jsonl` and `answer_NAME.jsonl` files: the answers of each
 * two systems to each question, with the human verdict where `review_A_B_human.txt` has one. Line i
 * of that file belongs to line i of the questions.
 *
 * @throws {DataError} for a missing file or answer, and verdicts that are not as many as questions.
 */
export async function readFaireval(dir: string, options: FairevalOptions = {}): Promise<Sample[]> {
  const { onDefect = throwDefect } = options;
  const human = humanFile(dir);
  const systems = options.systems ?? human?.systems ?? systemsOf(dir);
  if (systems.length < 2) {
    throw new DataError(`${dir}: ${systems.length} systems have answers, needed are two.`, {
      file: dir,
      help: 'give files answer_NAME.jsonl beside question.jsonl.',
    });
  }
  const questions = await readTexts(join(dir, 'question.jsonl'), onDefect);
  const answers = new Map<string, Map<string, string>>();
  for (const system of systems) {
    answers.set(system, await readTexts(join(dir, `answer_${system}.jsonl`), onDefect));
  }
  const samples: Sample[] = [];
  for (const [system1, system2] of pairsOf(systems)) {
    const verdicts = await humanVerdicts(human, [system1, system2], questions.size);
    const sides = { system1, system2, verdicts };
    samples.push(...pairSamples(questions, answers, { ...sides, dir, onDefect }));
  }
  return samples;
}

function pairsOf(systems: readonly string[]): [string, string][] {
  return systems.flatMap((one, at) =>
    systems.slice(at + 1).map((two): [string, string] => [one, two]),
  );
}

interface Sides {
  readonly system1: string;
  readonly system2: string;
  readonly verdicts: readonly Verdict[] | null;
  readonly dir: string;
  readonly onDefect: OnDefect;
}

function pairSamples(
  questions: ReadonlyMap<string, string>,
  answers: ReadonlyMap<string, ReadonlyMap<string, string>>,
  { system1, system2, verdicts, dir, onDefect }: Sides,
): Sample[] {
  const samples: Sample[] = [];
  let line = 0;
  for (const [id, question] of questions) {
    line += 1;
    const answer1 = answers.get(system1)?.get(id);
    const answer2 = answers.get(system2)?.get(id);
    if (answer1 === undefined || answer2 === undefined) {
      const system = answer1 === undefined ? system1 : system2;
      const message = `${dir}: question ${id} has no answer in answer_${system}.jsonl.`;
      onDefect(new DataError(message, { file: join(dir, `answer_${system}.jsonl`), line }));
      continue;
    }
    samples.push({
      id: `${id}:${system1}:${system2}`,
      ...{ dataset: 'faireval', family: 'qa', question, answer1, answer2 },
      ...{ gold: verdicts?.[line - 1] ?? null, system1, system2 },
    });
  }
  return samples;
}

/** Texts of a file by `question_id`. */
async function readTexts(path: string, onDefect: OnDefect): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  await eachObject(path, onDefect, (object, place) => {
    const id = object['question_id'];
    if (typeof id !== 'number' && typeof id !== 'string') {
      throw new DataError(`${path} line ${place.line}: question_id is missing.`, {
        ...{ file: path, line: place.line, field: 'question_id', text: place.text },
      });
    }
    texts.set(`${id}`, textField(object, 'text', place));
  });
  return texts;
}

function systemsOf(dir: string): string[] {
  return readdirSync(dir)
    .flatMap((name) => /^answer_(.+)\.jsonl$/.exec(name)?.[1] ?? [])
    .sort();
}

interface HumanFile {
  readonly path: string;
  readonly systems: readonly string[];
}

function humanFile(dir: string): HumanFile | null {
  if (!existsSync(dir)) throw new DataError(`${dir}: no such folder.`, { file: dir });
  const all = systemsOf(dir);
  for (const name of readdirSync(dir)) {
    const pair = humanPattern.exec(name)?.[1];
    if (pair === undefined) continue;
    const systems = pairsOf(all)
      .flatMap(([one, two]) => [
        [one, two],
        [two, one],
      ])
      .find(([one, two]) => `${one}_${two}` === pair);
    if (systems !== undefined) return { path: join(dir, name), systems };
  }
  return null;
}

/** What people say of a pair of systems; null where nobody compared them. */
async function humanVerdicts(
  human: HumanFile | null,
  [system1, system2]: readonly [string, string],
  questions: number,
): Promise<Verdict[] | null> {
  if (human === null) return null;
  const isForward = human.systems[0] === system1 && human.systems[1] === system2;
  const isBackward = human.systems[0] === system2 && human.systems[1] === system1;
  if (!isForward && !isBackward) return null;
  const { path } = human;
  const verdicts: Verdict[] = [];
  await eachLine(path, (text, line) => {
    const label = text.trim().toLowerCase();
    if (label === '') return;
    const system = humanNames[label] ?? label;
    if (label === 'tie') verdicts.push('tie');
    else if (system === system1) verdicts.push('1');
    else if (system === system2) verdicts.push('2');
    else {
      throw new DataError(`${path} line ${line}: ${JSON.stringify(text)} names no system.`, {
        ...{ file: path, line, text, help: `write TIE, ${system1} or ${system2}.` },
      });
    }
  });
  if (verdicts.length === questions) return verdicts;
  throw new DataError(
    `${path}: ${verdicts.length} verdicts for ${questions} questions; they go line by line.`,
    { file: path },
  );
}
