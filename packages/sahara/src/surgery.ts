/**
 * An ablation of heads written into the weights: a checkpoint that has it for good.
 */
import { ConfigError, formatCount } from '@lab/core';
import {
  checkpointFolder,
  editCheckpoint,
  type EditedCheckpoint,
  type FamilyModel,
  type HeadSite,
  type HeadSlice,
  headSlices,
  openCheckpoint,
  readModelConfig,
  scaleSlices,
  slicesByWeight,
} from '@lab/transformer';
import {
  ablationRemarks,
  changesNothing,
  type HeadAblation,
  headCounts,
  resolveAblation,
  type ResolvedAblation,
} from './ablation.js';
import { assertHeads, headKey, type HeadId } from './head.js';
import { keepForUndo, type KeptSlice, keptSlices, undoEdits } from './surgery-undo.js';
import { version } from './version.js';

/** Heads, and what is done with them for good. */
export interface SurgeryEdit {
  readonly heads: readonly HeadId[];
  /** Default the exact uniform pattern. */
  readonly ablation?: HeadAblation | undefined;
}

/** What an edit changes, before anything is written. */
export interface SurgeryPlan {
  /** Numbers that are changed. */
  readonly modified: number;
  /** Numbers in all weights of the files. */
  readonly total: number;
  /** `modified / total`, 0..1. */
  readonly share: number;
  /** Names of the weights in the files. */
  readonly weights: readonly string[];
  readonly ablation: ResolvedAblation;
  /** What a user should know. */
  readonly remarks: readonly string[];
}

/** How an edited checkpoint is written. */
export interface SurgeryOptions extends SurgeryEdit {
  /** Whether a checkpoint that is there is replaced; default false. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** What was written. */
export interface SurgeryResult extends EditedCheckpoint, SurgeryPlan {}

/** Name of the text in the headers that says what was done: a JSON list of edits. */
export const surgeryField = 'lab.sahara.surgery';

/** Slices of weights by the weight's name, and the factor that they are multiplied with. */
interface Cuts {
  readonly byWeight: ReadonlyMap<string, readonly HeadSlice[]>;
  readonly factor: number;
  readonly plan: SurgeryPlan;
}

/**
 * What an edit would change: exact counts of numbers, from the headers of the files.
 *
 * One head's queries are D d_h numbers, with their biases where the model has them.
 * Deviation: the paper prints .006 % for one head of Llama-2-7b; by its weights it is .0078 %.
 *
 * @throws {ConfigError} as {@link surgery}.
 */
export function planSurgery(path: string, edit: SurgeryEdit): SurgeryPlan {
  return cutsOf(path, edit).plan;
}

/**
 * Writes a checkpoint in which heads are ablated, as `transformers` loads it: config, tokenizer,
 * names and types stay, weights that are not touched keep their bytes, and the headers say which
 * heads were changed.
 *
 * `uniform`: the head's rows of W_q, and of its bias, become 0: all scores are 0. `scale` at
 * q, k or v: those rows times eps; at scores: rows of W_q; at z or pattern, and at v where several
 * heads share values: the head's columns of W_o. `zero`: the same with factor 0.
 *
 * The edited model refuses less by purpose. What it took away is kept in the folder `sahara-undo`
 * of the new checkpoint: {@link undoSurgery} puts it back.
 *
 * @param to - folder; made where it is not there.
 * @throws {ConfigError} for heads that are not there, an ablation that weights cannot hold (`mean`;
 *   scores with biases of positions, or a factor behind norms of queries and keys), keys and values
 *   that several heads share, and a GGUF file.
 * @throws {DataError} where `to` holds a checkpoint already.
 */
export async function surgery(
  path: string,
  to: string,
  { force, signal, onProgress, ...edit }: SurgeryOptions,
): Promise<SurgeryResult> {
  const { byWeight, factor, plan } = cutsOf(path, edit);
  const kept: KeptSlice[] = [];
  const written = await editCheckpoint(path, to, {
    ...{ force, signal, onProgress },
    change: (name, { shape }) => {
      const slices = byWeight.get(name);
      if (slices === undefined) return null;
      return (numbers) => {
        kept.push(...keptSlices(numbers, shape, slices));
        scaleSlices(numbers as Float32Array, shape, slices, factor);
        return numbers;
      };
    },
    metadata: (before) => ({
      ...before,
      [surgeryField]: editsText(before[surgeryField], edit, plan),
    }),
  });
  await keepForUndo(path, to, kept);
  return { ...plan, ...written };
}

/**
 * Writes the checkpoint that an edited one was made of: every weight has the bytes that it had.
 *
 * @param path - what {@link surgery} wrote, once or several times over.
 * @throws {DataError} for a checkpoint that keeps nothing to put back, and as `editCheckpoint`.
 */
export function undoSurgery(
  path: string,
  to: string,
  options: Omit<SurgeryOptions, keyof SurgeryEdit> = {},
): Promise<EditedCheckpoint> {
  return undoEdits(path, to, { ...options, field: surgeryField });
}

function editsText(before: string | undefined, { heads }: SurgeryEdit, plan: SurgeryPlan): string {
  const own = {
    by: `@lab/sahara ${version}`,
    heads: heads.map(headKey),
    ...plan.ablation,
    modified: plan.modified,
    warning: 'attention heads were ablated: this model may refuse less than the original',
  };
  return JSON.stringify([...earlierEdits(before), own]);
}

/** Edits that a header tells of; none where the text is not ours. */
function earlierEdits(text: string | undefined): unknown[] {
  if (text === undefined) return [];
  try {
    const edits: unknown = JSON.parse(text);
    return Array.isArray(edits) ? edits : [text];
  } catch {
    return [text];
  }
}

function cutsOf(path: string, { heads, ablation = { kind: 'uniform' } }: SurgeryEdit): Cuts {
  const folder = checkpointFolder(path);
  const family = readModelConfig(folder);
  const resolved = resolveAblation(ablation, family.architecture);
  if (heads.length === 0) {
    throw new ConfigError('sahara/surgery: no heads are named.', {
      help: 'Name at least one, such as 2-26.',
    });
  }
  assertHeads(heads, headCounts(family.architecture, resolved), 'sahara/surgery');
  const { site, factor } = weightChange(resolved, family);
  const checkpoint = openCheckpoint(folder);
  try {
    const slices = headSlices(family, checkpoint);
    const { granularity } = resolved;
    const all = heads.flatMap((head) => slices.of({ ...head, site, granularity }));
    const byWeight = slicesByWeight(all);
    const modified = all.reduce((sum, slice) => sum + slices.size(slice), 0);
    const total = checkpoint.parameterCount;
    const weights = [...byWeight.keys()];
    const remarks = [
      ...ablationRemarks(family.architecture, resolved),
      ...precisionRemarks(
        factor,
        weights.map((name) => checkpoint.weights.get(name)!.dtype),
      ),
    ];
    const plan = { modified, total, share: modified / total, weights, ablation: resolved, remarks };
    return { byWeight, factor, plan };
  } finally {
    checkpoint.close();
  }
}

/** Which weights hold an ablation, and the factor that they get. */
function weightChange(
  ablation: ResolvedAblation,
  { architecture }: FamilyModel,
): { readonly site: HeadSite; readonly factor: number } {
  const { kind, site, granularity } = ablation;
  const factor = kind === 'scale' ? ablation.eps : 0;
  const refuse = (what: string, help: string) =>
    new ConfigError(`sahara/surgery: ${kind} at ${site}: ${what}.`, { help });
  if (changesNothing(ablation)) throw refuse('eps 1 changes nothing', 'Give another factor.');
  if (kind === 'mean' || kind === 'patch') {
    const what = kind === 'mean' ? 'means over heads' : 'outputs of another prompt';
    throw refuse(`${what} depend on the text`, 'Take uniform, scale or zero.');
  }
  const isOfOutput = site === 'z' || (site === 'pattern' && kind !== 'uniform');
  const isShared = architecture.headCount !== architecture.keyValueHeadCount;
  if (isOfOutput || (site === 'v' && isShared && granularity === 'query-head')) {
    return { site: 'z', factor };
  }
  if (site === 'v') return { site: 'v', factor };
  if (architecture.positions.kind === 'alibi') {
    throw refuse(
      'biases of positions stay when queries and keys are changed',
      'Take zero at z, or ablate at run time.',
    );
  }
  if (architecture.hasQueryKeyNorm && factor !== 0) {
    throw refuse(`norms of queries and keys undo a factor of ${factor}`, 'Take uniform (eps 0).');
  }
  return { site: site === 'k' ? 'k' : 'q', factor };
}

function precisionRemarks(factor: number, dtypes: readonly string[]): string[] {
  const isLost = factor !== 0 && Math.abs(factor) < 1e-3 && dtypes.includes('float16');
  return isLost
    ? [`float16 has no room for weights times ${factor}: many become 0; take eps 0, or bfloat16.`]
    : [];
}

/** The share of numbers that heads are, in words: `524,288 of 6,738,415,616 (.0078 %)`. */
export const modifiedText = ({ modified, total, share }: SurgeryPlan): string =>
  `${formatCount(modified)} of ${formatCount(total)} parameters ` +
  `(${(100 * share).toPrecision(2).replace(/^0\./, '.')} %)`;
