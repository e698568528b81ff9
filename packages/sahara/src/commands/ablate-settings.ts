/** What `ablate` is asked for, from its flags. */
import { ConfigError } from '@lab/core';
import { type CliInput, type CliOption, configOptions } from '@lab/core/cli';
import { formatFlags, modelFlags, promptFlags } from '@lab/transformer/commands';
import { saharaConfig } from '../config.js';
import { affirmativeOpening } from '../course-correction.js';
import type { Decoding } from '../generation.js';
import { type HeadId, parseHead } from '../head.js';
import { ablationOptions, headOptions } from './head-options.js';
import { chosenJudgeNames, judgeOptions } from './judge-options.js';

const topic = 'responses';

/**
 * Flags of responses. None has a default of the parser: where a run goes on, what is not given is
 * what the run was begun with.
 */
const responseOptions: readonly CliOption[] = [
  {
    flags: '--decoding <how>',
    summary: 'the most probable token, or one of the five most probable by chance',
    choices: ['greedy', 'top-5'],
    unit: 'default greedy',
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
    ...{ summary: 'tokens of a response, at most', kind: 'integer', topic },
    unit: 'default 128',
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
    unit: 'default 0',
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
  {
    flags: '--rows <n>',
    ...{ summary: 'responses together', kind: 'integer', unit: 'default 8', topic },
  },
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
  const count = (name: string, otherwise: number, least: number) => {
    const value = (options[name] as number | undefined) ?? otherwise;
    if (value >= least) return value;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new ConfigError(`${flag} is ${value}, at least ${least}.`);
  };
  const isGiven = (name: string) => options[name] === true;
  const ways = {
    courseCorrection: isGiven('courseCorrection'),
    eachSize: isGiven('eachSize'),
    everyHead: isGiven('everyHead'),
    intactOnly: isGiven('intact'),
  };
  const skipLayers = options['skipLayers'] === undefined ? undefined : count('skipLayers', 1, 1);
  assertOneWay(options, { ...ways, skipLayers: skipLayers !== undefined });
  return {
    decoding: (options['decoding'] as Decoding | undefined) ?? 'greedy',
    samples: options['samples'] as number | undefined,
    maxNewTokens: count('maxNewTokens', 128, 1),
    opening: options['opening'] as string | undefined,
    ...{ ...ways, skipLayers },
    random: count('random', 0, 0),
    sameLayers: isGiven('sameLayers'),
    frozen: ((options['frozen'] as string[] | undefined) ?? []).map((text) =>
      parseHead(text, '--frozen'),
    ),
    storeResponses: options['storeResponses'] === true,
    rows: count('rows', 8, 1),
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
