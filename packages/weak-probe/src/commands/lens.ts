/** `lens`: what the output would say of every state, over the prompts of each class. */
import { join } from 'node:path';
import { ConfigError, formatShare, hashFile } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { loadTokenizer, type Tokenizer } from '@lab/transformer';
import { middleStates } from '../consistency.js';
import { classLens, type ClassLensResult, type LensResult } from '../lens-result.js';
import { identityText } from '../patchscope.js';
import { writeResult } from '../run-files.js';
import { pickedRows } from '../state-rows.js';
import { listsForTokenizer, tokenKinds, type TokenMatch } from '../token-kinds.js';
import { publishedTokenLists, readTokenLists } from '../token-lists.js';
import { type TunedLens, trainTunedLens } from '../tuned-lens.js';
import { readTunedLens, translatedRows, writeTunedLens } from '../tuned-lens-file.js';
import {
  assertResidual,
  type Collected,
  collectedOptions,
  type CollectedPrompts,
  collectionArgument,
  isEndNormed,
  otherCollection,
  unsaved,
  withCollected,
} from './collected.js';
import type { WorkOutline } from './dry-run.js';

/** The verb `lens`. */
export const lensCommand: CliCommand = {
  name: 'lens',
  summary: 'Say which tokens each state brings up, over the prompts of each class.',
  arguments: [collectionArgument],
  options: [
    { flags: '--top <n>', summary: 'K, tokens listed of each prompt', kind: 'integer' },
    { flags: '--classes <list>', summary: 'classes that are read; default all', kind: 'list' },
    {
      flags: '--words <file>',
      summary:
        'JSON lists negative, neutral, positive, and patterns of each; default the published',
    },
    {
      flags: '--match <how>',
      summary: 'how tokens are compared with words',
      choices: ['folded', 'published', 'stem'],
      unit: 'default folded; published in mode official',
    },
    { flags: '--follow <list>', summary: 'words that are followed through states', kind: 'list' },
    { flags: '--tuned <file>', summary: 'tuned lens in place of the logit lens' },
    { flags: '--tune <file>', summary: 'train a tuned lens on the states first, and take it' },
    {
      flags: '--tune-on <dir>',
      summary: 'collection of the same model to train on, such as one of all tokens',
    },
    {
      flags: '--patchscope <text>',
      summary: 'put states at the end of this text and let later blocks read them',
      unit: 'identity is "cat -> cat; 1135 -> 1135; hello -> hello; ?"',
    },
    { flags: '--tune-steps <n>', summary: 'steps of each state', kind: 'integer', default: 250 },
    ...collectedOptions,
  ],
  example: 'weak-probe lens runs/organism --follow Sorry,Sure',
  run: (context, input) =>
    withCollected(context, input, {
      flags: { 'lens.topK': input.options['top'] },
      outline: (given) => outline(input, given),
      run: (collected) => run(context, input, collected),
    }),
};

const labelsOf = ({ options }: CliInput, { collection }: CollectedPrompts): readonly string[] =>
  (options['classes'] as string[] | undefined) ?? collection.store.about.classes;

function outline(input: CliInput, given: CollectedPrompts): WorkOutline {
  const { store } = given.collection;
  const { length } = labelsOf(input, given).flatMap((label) => given.rowsOf(label));
  const text = patchscopeText(input);
  const ids = text === null ? [] : loadTokenizer(given.folder).encode(text);
  const prompts = Array.from({ length }, (_, at) => ({ id: String(at), ids }));
  // Behind state l, blocks l to L run: half of all, over the states.
  const passes = text === null ? [] : [{ prompts, count: store.stateCount / 2 }];
  return { passes, rows: length * store.stateCount };
}

async function run(context: CliContext, input: CliInput, collected: Collected): Promise<void> {
  const { collection, resolved, model, fingerprint, folder } = collected;
  const { store, dir } = collection;
  const { lens: settings, seed } = resolved.config;
  const norm = settings.isDoubleNormed ? 'official' : 'once';
  const patchscope = patchscopeOf(input, collected);
  const tuned = await tunedLensOf(context, input, collected);
  const rows = tuned === null ? store : translatedRows(tuned, store);
  const kinds = kindsOf(input, collected);
  const tokens = followedTokens(input, collected.tokenizer);
  const labels = labelsOf(input, collected);
  const tunedLens = (input.options['tune'] ?? input.options['tuned'] ?? null) as string | null;
  const tunedSha256 = tunedLens === null ? null : (await hashFile(tunedLens)).sha256;
  const classes: ClassLensResult[] = [];
  for (const label of labels) {
    const own = pickedRows(rows, collected.rowsOf(label));
    const given = { norm, top: settings.topK, tokens, tunedSha256, label, ...patchscope };
    classes.push(
      await classLens(model, {
        ...{ label, rows: own, settings, kinds, tokens, norm, seed, signal: context.signal },
        ...{ tokenizer: collected.tokenizer, areNormed: store.about.isNormed },
        patchscope: patchscope?.ids,
        states: patchscope?.states,
        records: {
          path: join(dir, `lens-${labels.indexOf(label)}.jsonl`),
          settings: { ...given, prompts: store.about.promptsSha256, model: fingerprint.model },
        },
        onProgress: (done, all) =>
          context.progress.update(`lens  ${label}  state ${done}/${all}`, done / all),
      }),
    );
  }
  const { layerCount } = model.architecture;
  const result: LensResult = {
    model: { path: folder, fingerprint: fingerprint.model },
    ...{ top: settings.topK, norm, tunedLens, patchscope: patchscope?.text ?? null, layerCount },
    middleStates: middleStates(layerCount, settings.middleFrom, settings.middleTo),
    classes,
  };
  say(context, dir, result);
}

/** The text that states are put into; null where the output reads them. */
function patchscopeText({ options }: CliInput): string | null {
  const given = options['patchscope'];
  if (typeof given !== 'string') return null;
  if (options['tune'] === undefined && options['tuned'] === undefined) {
    return given === 'identity' ? identityText : given;
  }
  throw new ConfigError('--patchscope and a tuned lens are given both.', {
    help: 'Give one of the two.',
  });
}

function patchscopeOf(input: CliInput, collected: Collected) {
  const text = patchscopeText(input);
  if (text === null) return null;
  const { stateCount } = collected.collection.store;
  const end = stateCount - (isEndNormed(collected) ? 1 : 0);
  const states = Array.from({ length: end }, (_, state) => state);
  assertResidual(collected, states);
  return { text, ids: collected.tokenizer.encode(text), states };
}

async function tunedLensOf(
  context: CliContext,
  { options }: CliInput,
  collected: Collected,
): Promise<TunedLens | null> {
  const { model, fingerprint, resolved } = collected;
  const [tune, tuned] = [options['tune'], options['tuned']];
  if (typeof tune === 'string' && typeof tuned === 'string') {
    throw new ConfigError('--tune and --tuned are given both.', { help: 'Give one of the two.' });
  }
  if (typeof tune === 'string') {
    const on = options['tuneOn'];
    const from = typeof on === 'string' ? otherCollection(on, collected) : collected;
    const { store, dir } = from.collection;
    if (isEndNormed(from)) {
      throw new ConfigError(`${dir}: its last state stands behind the final norm.`, {
        help: 'Train on states collected with states.isNormed=false: --tune-on DIR.',
      });
    }
    const settings = {
      ...{ modelFingerprint: fingerprint.model, seed: resolved.config.seed },
      ...{ steps: options['tuneSteps'] as number, signal: context.signal },
      onProgress: (done: number, all: number) =>
        context.progress.update(`tuning  state ${done}/${all}`, done / all),
    };
    const lens = await unsaved('the training of the tuned lens', () =>
      trainTunedLens(model, store, settings),
    );
    await writeTunedLens(tune, lens);
    return lens;
  }
  if (typeof tuned !== 'string') return null;
  const lens = await readTunedLens(tuned);
  if (lens.modelFingerprint === fingerprint.model) return lens;
  throw new ConfigError(`${tuned}: was trained on another model.`, {
    help: 'Train one on this model: --tune FILE.',
  });
}

function kindsOf({ options }: CliInput, { tokenizer, resolved }: Collected) {
  const words = options['words'];
  const lists = typeof words === 'string' ? readTokenLists(words) : publishedTokenLists;
  const isOfficial = resolved.mode === 'official';
  const match = (options['match'] ?? (isOfficial ? 'published' : 'folded')) as TokenMatch;
  // The published lists have word pieces of their own.
  return tokenKinds(isOfficial ? lists : listsForTokenizer(tokenizer, lists), match);
}

/** First tokens of words, with a space before them where the tokenizer knows that as one. */
function followedTokens({ options }: CliInput, tokenizer: Tokenizer): number[] {
  const words = (options['follow'] ?? []) as string[];
  const ids = words.flatMap((word) =>
    [word, ` ${word}`].flatMap((text) => {
      const own = tokenizer.encode(text, { addSpecialTokens: false });
      return own.length === 1 ? own : [];
    }),
  );
  if (words.length > 0 && ids.length === 0) {
    throw new ConfigError(`--follow ${words.join(',')}: none of these is a token by itself.`, {
      help: 'Give words that the tokenizer does not cut.',
    });
  }
  return [...new Set(ids)];
}

function say(context: CliContext, dir: string, result: LensResult): void {
  const path = writeResult(dir, 'lens', result);
  context.progress.done();
  for (const { label, table: tokens } of result.classes) {
    const rows = tokens.states.map(({ state, cells, kindShares }) => ({
      state,
      negative: formatShare(kindShares.negative),
      positive: formatShare(kindShares.positive),
      tokens: cells.map(({ text, share }) => `${text} ${formatShare(share, 2)}`).join('  '),
    }));
    context.print(`${label}, ${tokens.promptCount} prompts\n${table(rows)}\n`);
  }
  const rows = result.classes.map(({ label, consistency, negativeConsistency }) => ({
    class: label,
    consistency: withInterval(consistency),
    'of negative words': withInterval(negativeConsistency),
  }));
  const states = result.middleStates;
  const range = states.length === 1 ? `state ${states[0]}` : `states ${states[0]}-${states.at(-1)}`;
  context.print(`top-${result.top} consistency, ${range}\n${table(rows)}\n`);
  context.print(`result  ${path}\nnext: weak-probe graft ${dir}\n`);
  const metrics = Object.fromEntries(
    result.classes.map(({ label, consistency }) => [label, consistency.value]),
  );
  context.printJson({ run: dir, status: 'success', metrics: { consistency: metrics }, path });
}

const withInterval = ({ value, interval }: ClassLensResult['consistency']): string => {
  if (interval === null) return formatShare(value);
  const { low, high } = interval;
  return `${formatShare(value)} (${formatShare(low)}-${formatShare(high)})`;
};
