/** What `ablate` is asked for, from its flags, or from those that a run was begun with. */
import { resolve } from 'node:path';
import { ConfigError, DataError, readRunRecord } from '@lab/core';
import { type CliInput, type CliOption, configOptions } from '@lab/core/cli';
import { formatFlags, modelFlags, promptFlags } from '@lab/transformer/commands';
import { saharaConfig } from '../config.js';
import { affirmativeOpening } from '../course-correction.js';
import type { Decoding } from '../generation.js';
import { type HeadId, parseHead } from '../head.js';
import { ablationOptions, headOptions } from './head-options.js';
import { chosenJudgeNames, judgeOptions } from './judge-options.js';

const topic = 'responses';

/** Flags of responses. */
const responseOptions: readonly CliOption[] = [
  {
    flags: '--decoding <how>',
    summary: 'the most probable token, or one of the five most probable by chance',
    choices: ['greedy', 'top-5'],
    default: 'greedy',
    topic,
  },
  {
    flags: '--samples <n>',
    summary: 'responses to each prompt',
    kind: 'integer',
    unit: 'default 1 of greedy, 5 of top-5',
    topic,
  },
  {
    flags: '--max-new-tokens <n>',
    ...{ summary: 'tokens of a response, at most', kind: 'integer', default: 128, topic },
  },
  { flags: '--opening <text>', summary: 'begin of every answer', topic },
  {
    flags: '--course-correction',
    summary: `with and without an opening ("${affirmativeOpening}"), both ablations`,
    kind: 'boolean',
    topic,
  },
  {
    flags: '--per-prompt',
    summary: 'each prompt without its own best heads, of --scores',
    kind: 'boolean',
    topic,
  },
  {
    flags: '--each-size',
    summary: 'without the first head, the first two, and so on',
    kind: 'boolean',
    topic,
  },
  {
    flags: '--every-head',
    summary: 'without each head of the model alone: a run of many hours for a large one',
    kind: 'boolean',
    topic,
  },
  {
    flags: '--intact',
    summary: 'the model as it is alone, nothing ablated',
    kind: 'boolean',
    topic,
  },
  {
    flags: '--skip-layers <n>',
    summary: 'in place of heads without every run of so many layers',
    kind: 'integer',
    topic,
  },
  {
    flags: '--frozen <list>',
    summary: 'also without all of the heads but these: what a defence that holds them keeps',
    kind: 'list',
    topic,
  },
  {
    flags: '--random <n>',
    summary: 'random groups of as many heads, for comparison',
    kind: 'integer',
    default: 0,
    topic,
  },
  {
    flags: '--same-layers',
    summary: 'random heads of the layers of those named: tells heads apart from layers',
    kind: 'boolean',
    topic,
  },
  { flags: '--harmless <file>', summary: 'prompts that should be answered, as well', topic },
  {
    flags: '--store-responses',
    summary: 'keep prompts and responses; default verdict, length and hash alone',
    kind: 'boolean',
    topic,
  },
  { flags: '--rows <n>', summary: 'responses together', kind: 'integer', default: 8, topic },
  { flags: '--out <dir>', summary: 'folder of the run; default a new one below runs' },
  { flags: '--resume <run>', summary: 'goes on with a run that was interrupted' },
  { flags: '--dry-run', summary: 'say what it would take, and end', kind: 'boolean' },
];

/** All flags of `ablate`. */
export const ablateOptions: readonly CliOption[] = [
  ...headOptions,
  ...ablationOptions,
  ...promptFlags,
  ...formatFlags,
  ...responseOptions,
  ...judgeOptions,
  ...modelFlags,
  ...configOptions(saharaConfig),
];

/** Flags that name files. */
const paths = ['prompts', 'harmless', 'scores', 'phrases', 'guard', 'question', 'config'];
/** Flags of the machine and of one call, which a run that goes on may have otherwise. */
const free = ['backend', 'threads', 'residency', 'memory', 'rows', 'out', 'resume', 'dryRun'];

/** What is generated and judged. */
export interface AblateSettings {
  readonly decoding: Decoding;
  readonly samples: number | undefined;
  readonly maxNewTokens: number;
  readonly opening: string | undefined;
  readonly courseCorrection: boolean;
  readonly eachSize: boolean;
  readonly everyHead: boolean;
  readonly intactOnly: boolean;
  readonly skipLayers: number | undefined;
  readonly random: number;
  readonly sameLayers: boolean;
  readonly frozen: readonly HeadId[];
  readonly storeResponses: boolean;
  readonly rows: number;
  readonly seed: number;
  readonly judges: readonly string[];
}

/** The settings of the flags. */
export function ablateSettings(input: CliInput, seed: number): AblateSettings {
  const { options } = input;
  const count = (name: string, flag: string, least: number) => {
    const value = options[name] as number;
    if (value >= least) return value;
    throw new ConfigError(`${flag} is ${value}, at least ${least}.`);
  };
  const isGiven = (name: string) => options[name] === true;
  const ways = {
    courseCorrection: isGiven('courseCorrection'),
    eachSize: isGiven('eachSize'),
    everyHead: isGiven('everyHead'),
    intactOnly: isGiven('intact'),
  };
  const skipLayers =
    options['skipLayers'] === undefined ? undefined : count('skipLayers', '--skip-layers', 1);
  assertOneWay(options, { ...ways, skipLayers: skipLayers !== undefined });
  return {
    decoding: options['decoding'] as Decoding,
    samples: options['samples'] as number | undefined,
    maxNewTokens: count('maxNewTokens', '--max-new-tokens', 1),
    opening: options['opening'] as string | undefined,
    ...{ ...ways, skipLayers },
    random: count('random', '--random', 0),
    sameLayers: isGiven('sameLayers'),
    frozen: ((options['frozen'] as string[] | undefined) ?? []).map((text) =>
      parseHead(text, '--frozen'),
    ),
    storeResponses: options['storeResponses'] === true,
    rows: count('rows', '--rows', 1),
    seed,
    judges: chosenJudgeNames(input),
  };
}

/** What is ablated is said once, and heads are named where heads are ablated. */
function assertOneWay(
  { perPrompt, heads, scores }: CliInput['options'],
  { eachSize, ...others }: Readonly<Record<string, boolean>>,
): void {
  const [way, ...further] = Object.entries(others).flatMap(([name, given]) =>
    given ? [name] : [],
  );
  const isTwice = further.length > 0 || (way !== undefined && (eachSize || perPrompt === true));
  if (isTwice) {
    throw new ConfigError('two of the flags say what is ablated, and not the same.', {
      help:
        'Give one of --course-correction, --each-size, --every-head, --intact and ' +
        '--skip-layers; of these --each-size goes with --per-prompt.',
    });
  }
  const isWithout = others['intactOnly'] === true || others['skipLayers'] === true;
  if (!isWithout || (heads === undefined && scores === undefined)) return;
  throw new ConfigError('heads are named, and none is ablated.', {
    help: 'Leave --heads and --scores out, or --intact and --skip-layers.',
  });
}

/** Flags as a run keeps them: files by their whole paths, so that it goes on from anywhere. */
export function keptFlags({ options }: CliInput): Record<string, unknown> {
  const isExample = (value: unknown) => String(value).startsWith('example:');
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) => {
      if (free.includes(name) || value === undefined) return [];
      const isPath = paths.includes(name) || (name === 'model' && !isExample(value));
      return [[name, isPath ? resolve(String(value)) : value]];
    }),
  );
}

/**
 * The flags of a run that goes on, with those of the machine as they are given now.
 *
 * @throws {DataError} where the run is of another verb.
 */
export function resumedInput(input: CliInput): CliInput {
  const dir = input.options['resume'];
  if (typeof dir !== 'string') return input;
  const record = readRunRecord(dir);
  if (record.method !== 'sahara' || record.label !== 'ablate') {
    throw new DataError(`${dir}: is a run of ${record.method} ${record.label}.`, {
      ...{ file: dir, help: 'Give the folder of a run that "sahara ablate" made.' },
    });
  }
  const passed = (record.config.passed ?? {}) as Record<string, unknown>;
  const now = Object.fromEntries(
    Object.entries(input.options).filter(([name]) => free.includes(name)),
  );
  return { ...input, options: { ...passed, ...now } };
}
