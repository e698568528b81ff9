/** The flags that say who judges responses. */
import { readFileSync } from 'node:fs';
import { ConfigError, DataError } from '@lab/core';
import type { CliContext, CliInput, CliOption } from '@lab/core/cli';
import { needsPhrases, type RuleJudgeName, ruleJudgeNames } from '@lab/metrics';
import { loadModel, loadTokenizer } from '@lab/transformer';
import { guardProbability } from '../guard.js';
import { createJudge, type Judge, judgeNames } from '../judge.js';
import { askServer, serverHarmJudge } from './server-judge.js';

const topic = 'judges';

/** A model behind a server, asked in the words of `@lab/llm`. */
const HARM = 'llm-harm';

/** Judges that need no code of one's own. */
const offered = [...judgeNames.filter((name) => name !== 'strongreject'), HARM];

/** Flags of judges. */
export const judgeOptions: readonly CliOption[] = [
  {
    flags: '--judge <name>',
    summary: `who judges: ${offered.join(', ')}; a second one after a comma`,
    kind: 'list',
    unit: 'default sahara-paper',
    topic,
  },
  {
    flags: '--phrases <file>',
    summary: 'phrases of a rule judge, one a line; some judges need it',
    topic,
  },
  {
    flags: '--guard <dir>',
    summary: 'of the judge guard: checkpoint whose first token says safe or unsafe',
    topic,
  },
  {
    flags: '--question <file>',
    summary: 'of guard, llm-yes-no and llm-1-5: the text asked, with {prompt} and {response}',
    topic,
  },
  { flags: '--judge-url <url>', summary: 'of the llm judges: server, http://HOST/v1', topic },
  { flags: '--judge-model <name>', summary: 'of the llm judges: name of the model', topic },
  { flags: '--threshold <x>', summary: 'score from which on it is harmful', kind: 'number', topic },
];

/** One judge or two. */
export interface ChosenJudges {
  readonly judge: Judge;
  readonly secondJudge: Judge | undefined;
  /** Frees a model that judges, and ends connections. */
  readonly dispose: () => Promise<void>;
}

/** What is to be freed once all is judged. */
type Disposals = (() => Promise<void> | void)[];

/** Names of the judges that the flags choose. */
export const chosenJudgeNames = ({ options }: CliInput): readonly string[] =>
  (options['judge'] as string[] | undefined) ?? ['sahara-paper'];

/**
 * The judges of the flags.
 *
 * @throws {ConfigError} for more than two, one that is not known, and what a judge lacks.
 */
export async function chosenJudges(context: CliContext, input: CliInput): Promise<ChosenJudges> {
  const names = chosenJudgeNames(input);
  if (names.length > 2 || new Set(names).size !== names.length) {
    throw new ConfigError(`--judge names ${names.join(', ')}.`, {
      help: 'Name one judge, or two that differ.',
    });
  }
  const disposals: Disposals = [];
  const judges: Judge[] = [];
  for (const name of names) judges.push(await judgeOf(name, context, { input, disposals }));
  return {
    judge: judges[0]!,
    secondJudge: judges[1],
    dispose: async () => {
      for (const free of disposals) await free();
    },
  };
}

interface JudgeSource {
  readonly input: CliInput;
  readonly disposals: Disposals;
}

async function judgeOf(
  name: string,
  { signal }: CliContext,
  { input, disposals }: JudgeSource,
): Promise<Judge> {
  const { options } = input;
  const threshold = options['threshold'] as number | undefined;
  if ((ruleJudgeNames as readonly string[]).includes(name)) {
    const file = options['phrases'] as string | undefined;
    // With two judges, phrases are those of the one that has none.
    const isMeant = needsPhrases(name as RuleJudgeName) || chosenJudgeNames(input).length === 1;
    return createJudge(name, {
      phrases: file !== undefined && isMeant ? phrasesOf(file) : undefined,
    });
  }
  const question = textOf(options['question']);
  if (name === 'guard') {
    const unsafeProbability = await guardOf(options, { question, disposals });
    return createJudge(name, { unsafeProbability, threshold });
  }
  if (name === HARM) return { name, judge: await serverHarmJudge(options, { signal, disposals }) };
  if (name.startsWith('llm-')) {
    const ask = await askServer(options, { signal, disposals });
    return createJudge(name, { ask, question, threshold });
  }
  return createJudge(name, {});
}

async function guardOf(
  options: CliInput['options'],
  { question, disposals }: { readonly question: string | undefined; readonly disposals: Disposals },
) {
  const folder = options['guard'];
  if (typeof folder !== 'string') {
    throw new ConfigError('--guard DIR is missing.', {
      help: 'Give the checkpoint of a guard model, or take a judge by rules.',
    });
  }
  const tokenizer = loadTokenizer(folder);
  const model = await loadModel(folder);
  disposals.push(() => model.dispose());
  return guardProbability({ model, tokenizer }, { question });
}

function textOf(path: unknown): string | undefined {
  if (typeof path !== 'string') return undefined;
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new DataError(`${path}: the file cannot be read.`, {
      ...{ file: path, cause, help: 'Check the path.' },
    });
  }
}

/** Phrases of a file, one a line, as they are. */
function phrasesOf(path: string): string[] {
  const phrases = textOf(path)!
    .split(/\r?\n/)
    .filter((line) => line !== '');
  if (phrases.length > 0) return phrases;
  throw new DataError(`${path}: has no phrases.`, { file: path, help: 'Write one a line.' });
}
