/**
 * The work of `graft`: sweep, whole responses, and the lens behind the best graft; what is done is
 * kept line by line, so that a call that was ended goes on.
 */
import { join } from 'node:path';
import type { CliContext, CliInput } from '@lab/core/cli';
import type { RuleJudge } from '@lab/metrics';
import type { Openings } from '../first-tokens.js';
import { graftedResponses } from '../graft-responses.js';
import type { BesideResult, GraftedResponseShares, GraftResult } from '../graft-result.js';
import { type GraftRecord, graftSweep, summaryOf } from '../graft-sweep.js';
import { graftedStates } from '../grafted-states.js';
import type { GraftSource } from '../graft-vectors.js';
import { type LensOptions, lensStates, type StateLens } from '../lens.js';
import { openRecordFile } from '../record-file.js';
import { respondTo, type ResponseRecord, responseShares } from '../responses.js';
import { pickedRows, type StateRows } from '../state-rows.js';
import { steeredFirstTokens } from '../steering.js';
import { listsForTokenizer, tokenKinds } from '../token-kinds.js';
import { tokenNamer } from '../token-text.js';
import { tokenTable } from '../token-table.js';
import {
  type Collected,
  type CollectedPrompts,
  isEndNormed,
  numbersOf,
  type ReadCollection,
} from './collected.js';
import type { WorkOutline } from './dry-run.js';
import { promptsOf, responsePasses, sideLabels } from './graft-sides.js';

/** All that grafts of a call share. */
export interface GraftJob {
  readonly context: CliContext;
  readonly input: CliInput;
  readonly collected: Collected;
  readonly sources: readonly GraftSource[];
  readonly graft: GraftResult['settings'];
  /** Where donors are from, and their rows there. */
  readonly donorRun: ReadCollection;
  readonly donors: readonly number[];
  /** Rows of the collection. */
  readonly takers: readonly number[];
  /** States that are grafted. */
  readonly states: readonly number[];
  readonly openings: Openings;
  readonly judge: RuleJudge;
}

/** Donors and controls that no flag names. */
export const defaultSources: readonly GraftSource[] = ['mean', 'other-recipient', 'noise'];

/** Recipients that go through a sweep together, and are saved together. */
const UNIT = 16;

/** First tokens of all recipients under all grafts. */
export async function sweep(job: GraftJob): Promise<GraftRecord[]> {
  const { context, collected, sources, graft, openings, takers, states } = job;
  const { model, collection } = collected;
  const { semantics, share, isNormMatched, positions } = graft;
  const mixture = { semantics, share, isNormMatched, positions };
  const parties = partiesOf(job);
  const settings = { ...dependsOn(job), ...mixture, openings };
  const path = join(collection.dir, 'graft.jsonl');
  const perRow = sources.length * states.length + 1;
  const units = unitsOf(parties.recipients.length);
  const unitOf = ({ row }: GraftRecord) => Math.floor(row / UNIT);
  const file = openRecordFile<GraftRecord>(
    path,
    { ...settings, states },
    wholeGroups(unitOf, (unit) => perRow * units[unit]!.length),
  );
  const records = [...file.records];
  const saved = new Set(records.map(unitOf));
  for (const [unit, rows] of units.entries()) {
    if (saved.has(unit)) continue;
    const found: GraftRecord[] = [];
    const given = { ...parties, ...mixture, sources, openings, states, rows };
    for await (const record of graftSweep(model, { ...given, signal: context.signal })) {
      found.push(record);
    }
    for (const record of found) file.append(record);
    records.push(...found);
    const done = rows.at(-1)! + 1;
    context.progress.update(`graft  ${done}/${takers.length}`, done / takers.length);
  }
  return records;
}

/** Rows of each unit. */
const unitsOf = (count: number): number[][] =>
  Array.from({ length: Math.ceil(count / UNIT) }, (_, unit) =>
    Array.from({ length: Math.min(UNIT, count - unit * UNIT) }, (_row, at) => unit * UNIT + at),
  );

/** Keeps records of groups that have all their members. */
const wholeGroups =
  <T, G>(groupOf: (record: T) => G, sizeOf: (group: G) => number) =>
  (records: readonly T[]): T[] => {
    const counts = new Map<G, number>();
    for (const one of records) counts.set(groupOf(one), (counts.get(groupOf(one)) ?? 0) + 1);
    return records.filter((one) => counts.get(groupOf(one)) === sizeOf(groupOf(one)));
  };

function partiesOf({ collected, donorRun, donors, takers }: GraftJob) {
  const { collection, prompts, resolved } = collected;
  return {
    recipients: takers.map((row) => prompts[row]!),
    recipientStates: pickedRows(collection.store, takers),
    donorStates: pickedRows(donorRun.collection.store, donors),
    seed: resolved.config.seed,
  };
}

/** What every record of a call depends on. */
function dependsOn({ collected, donorRun, donors, takers, sources }: GraftJob) {
  const { fingerprint, collection, resolved } = collected;
  const { promptsSha256 } = collection.store.about;
  const { seed } = resolved.config;
  const from = donorRun.collection.store.about.promptsSha256;
  return { model: fingerprint.model, promptsSha256, from, seed, donors, takers, sources };
}

/** A response and what it was made under. */
interface GraftedResponse extends ResponseRecord {
  readonly source: GraftSource | 'none';
  readonly state: number | null;
}

/** Shares of whole responses without a graft, and with that of each source at a state. */
export async function wholeResponses(
  job: GraftJob,
  state: number,
): Promise<GraftedResponseShares[]> {
  const { context, input, collected, graft, sources } = job;
  const { model, tokenizer, resolved, collection } = collected;
  const options = {
    maxNewTokens: resolved.config.graft.maxTokens,
    keepsTexts: input.options['storeResponses'] === true,
    judge: job.judge,
    signal: context.signal,
  };
  const { maxNewTokens, keepsTexts } = options;
  const { name: judge, phraseCount } = job.judge;
  const path = join(collection.dir, 'graft-responses.jsonl');
  const settings = {
    ...dependsOn(job),
    graft,
    state,
    maxNewTokens,
    keepsTexts,
    judge,
    phraseCount,
  };
  const parties = partiesOf(job);
  const whole = wholeGroups(
    ({ source }: GraftedResponse) => source,
    () => parties.recipients.length,
  );
  const file = openRecordFile(path, settings, whole);
  const all: GraftedResponseShares[] = [];
  for (const source of ['none', ...sources] as const) {
    context.progress.update(`responses  ${source}`, all.length / (sources.length + 1));
    const known = file.records.filter((one) => one.source === source);
    const isDone = known.length > 0;
    const plain = parties.recipients.map((prompt) => ({ prompt }));
    const records = isDone
      ? known
      : source === 'none'
        ? await respondTo(model, tokenizer, plain, options)
        : await graftedResponses(model, tokenizer, {
            ...{ ...parties, ...graft, ...options, state, source },
          });
    const at = source === 'none' ? null : state;
    if (!isDone) for (const record of records) file.append({ source, state: at, ...record });
    all.push({ source, state: at, ...responseShares(records) });
  }
  return all;
}

/** What becomes of the prompts of another class as they are. */
export async function beside(job: GraftJob, label: string): Promise<BesideResult> {
  const { context, input, collected, openings, judge } = job;
  const { model, tokenizer, resolved, prompts } = collected;
  const { recipients: most, maxTokens: maxNewTokens } = resolved.config.graft;
  const own = collected
    .rowsOf(label)
    .slice(0, most)
    .map((row) => prompts[row]!);
  const { signal } = context;
  const first = await steeredFirstTokens(model, { prompts: own, openings, signal }, []);
  const { kl: _, ...summary } = summaryOf(first);
  const asked = own.map((prompt) => ({ prompt }));
  const records =
    input.options['responses'] === true
      ? await respondTo(model, tokenizer, asked, { maxNewTokens, judge, signal })
      : null;
  return { label, ...summary, responses: records && responseShares(records) };
}

/** The lens of the recipients without a graft and behind that of the donors' mean at a state. */
export async function lensBehind(job: GraftJob, state: number): Promise<GraftResult['lens']> {
  const { collected, graft, context } = job;
  const { model, tokenizer, resolved } = collected;
  const kinds = tokenKinds(listsForTokenizer(tokenizer));
  const { topK: top, countBy, partMegabytes } = resolved.config.lens;
  const areNormed = isEndNormed(collected);
  const norm = areNormed ? 'official' : 'once';
  const { signal } = context;
  const tableOf = async (rows: StateRows, own: Pick<LensOptions, 'areNormed'>) => {
    const lens: StateLens[] = [];
    const options = { top, norm, ...own, partBytes: 1e6 * partMegabytes, signal } as const;
    for await (const one of lensStates(model, rows, options)) lens.push(one);
    return tokenTable(lens, { nameOf: tokenNamer(tokenizer), countBy, kinds });
  };
  const parties = partiesOf(job);
  context.progress.update('lens behind the graft');
  const grafted = await graftedStates(model, { ...parties, ...graft, state, signal });
  return {
    without: await tableOf(parties.recipientStates, { areNormed }),
    // A pass with a graft gives its last state before the final norm.
    with: await tableOf(grafted, { areNormed: false }),
  };
}

/**
 * States that a call grafts: those it names, or all that are residuals of recipients and donors,
 * without 0 where the block before a graft is left out.
 */
export function askedStates(
  input: CliInput,
  given: CollectedPrompts,
  donorRun: ReadCollection = given,
): number[] {
  const first = given.resolved.config.graft.semantics === 'official' ? 1 : 0;
  const isLess = isEndNormed(given) || isEndNormed(donorRun);
  const last = given.architecture.layerCount - (isLess ? 1 : 0);
  const all = Array.from({ length: last + 1 - first }, (_, at) => first + at);
  return numbersOf(input, 'states') ?? all;
}

/** What a call will do: parts of passes count as their share of all blocks. */
export function graftOutline(input: CliInput, given: CollectedPrompts): WorkOutline {
  const { graft } = given.resolved.config;
  const { layerCount } = given.architecture;
  const sources = ((input.options['sources'] as string[] | undefined) ?? defaultSources).length;
  const states = askedStates(input, given);
  const behind = states.reduce((sum, state) => sum + (layerCount - state) / layerCount, 0);
  const whole = input.options['responses'] === true ? sources + 1 : 0;
  const isRead = input.options['lens'] === true;
  const [answered, refused] = sideLabels(input, given);
  const isReversed = input.options['reverse'] === true;
  const prompts = promptsOf(given, isReversed ? answered : refused, graft.recipients);
  const others = promptsOf(given, isReversed ? refused : answered, graft.recipients);
  // Openings, the unchanged pass, and one block by block; what a graft leaves of a pass; and where
  // the prompt is read anew behind a graft, responses read it twice.
  const count = 3 + sources * behind + responsePasses(given, whole) + (isRead ? 1 : 0) + whole;
  return {
    passes: [
      { prompts, count },
      { prompts: others, count: 2 },
    ],
    rows: isRead ? 2 * prompts.length * (layerCount + 1) : 0,
  };
}
