/**
 * Hidden states of prompts into a run folder, so that a kill loses one unit of prompts at most.
 */
import {
  canonicalJson,
  createRun,
  type FileRecord,
  type Logger,
  resumeRun,
  type Run,
  sha256,
  silentLogger,
  writeFileAtomic,
} from '@lab/core';
import { selectedBackend } from '@lab/tensor';
import {
  checkpointFingerprint,
  loadModel,
  type LoadModelOptions,
  type Model,
} from '@lab/transformer';
import { type Collection, openCollection } from './collection.js';
import type { Config } from './config.js';
import { type EncodedPrompt, promptStates, rowStarts } from './hidden-states.js';
import type { FormattedPrompt } from './prompt-set.js';
import { promptsFile, statesFolder } from './run-files.js';
import { stateWidth, statePlaces } from './state-places.js';
import type { StateRow, StateStoreAbout } from './state-store.js';
import { openStateWriter } from './state-writer.js';
import { version } from './version.js';

/** How far a collection is. */
export interface CollectProgress {
  readonly stage: 'loading' | 'collecting';
  readonly done: number;
  readonly total: number;
}

/** What the record of a run says beside results. */
export interface CollectFacts {
  readonly label?: string | undefined;
  readonly mode?: string | null | undefined;
  readonly preset?: string | null | undefined;
  readonly command?: readonly string[] | undefined;
  readonly passed?: unknown;
  readonly origins?: Readonly<Record<string, string>> | undefined;
  readonly data?: readonly FileRecord[] | undefined;
}

/** What {@link collectStates} reads. */
export interface CollectOptions {
  /** Folder of a checkpoint, or `example:NAME`. */
  readonly modelPath: string;
  readonly classes: readonly string[];
  /** Class by class, as `formatPrompts` gives them. */
  readonly prompts: readonly FormattedPrompt[];
  readonly config: Config;
  /** Folder of the run. */
  readonly out: string;
  /** Whether a run that is there goes on; default false. */
  readonly isResumed?: boolean | undefined;
  readonly load?: LoadModelOptions | undefined;
  readonly facts?: CollectFacts | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
  readonly onProgress?: ((progress: CollectProgress) => void) | undefined;
}

/**
 * Collects hidden states of prompts and gives them opened.
 *
 * The folder holds `run.json`, `prompts.jsonl` and `states/`: NumPy arrays `[N, D]` of float32, one
 * a state, with their rows' ids, classes and hashes. A run that was ended goes on with `isResumed`,
 * and ends with the same bytes.
 *
 * @throws {ConfigError} where the folder holds a run and is not to go on, or holds another one.
 * @throws {DataError} for values that are not finite, and a disk that is full.
 * @throws {ModelError} for a model that cannot be loaded; {@link InterruptedError} by the signal.
 */
export async function collectStates(options: CollectOptions): Promise<Collection> {
  const run = options.isResumed === true ? resumeRun(options.out) : newRun(options);
  try {
    if (run.record.status !== 'started') run.update({ status: 'started', error: null, end: null });
    await fillStore(run, options);
    const counts = { rows: options.prompts.length };
    run.finish({ status: 'success', results: counts });
    return openCollection(options.out);
  } catch (error) {
    const isStop = options.signal?.aborted === true;
    run.finish({ status: isStop ? 'interrupted' : 'error', error });
    throw error;
  }
}

function newRun({ out, config, facts = {} }: CollectOptions): Run {
  return createRun({
    ...{ parent: '.', dir: out, method: 'weak-probe', label: facts.label ?? '' },
    ...{ seed: config.seed, command: facts.command ?? [], config, passed: facts.passed },
    ...{ origins: facts.origins, mode: facts.mode, preset: facts.preset, data: facts.data },
    packages: { '@lab/weak-probe': version },
  });
}

async function fillStore(run: Run, options: CollectOptions): Promise<void> {
  const { prompts, modelPath, onProgress, signal, logger = silentLogger } = options;
  const total = prompts.length;
  onProgress?.({ stage: 'loading', done: 0, total });
  const model = await loadModel(modelPath, options.load);
  try {
    run.update({ backend: selectedBackend() });
    logger.info(`weights ${model.residency}`);
    const about = aboutOf(model, options);
    writePrompts(run.path(promptsFile), prompts);
    const starts = rowStarts(prompts, about.positions);
    const units = unitStarts(prompts, { ...options.config.states, model });
    const writer = openStateWriter(run.path(statesFolder), about, (saved) => {
      const whole = units.findLast((start) => starts[start]! <= saved) ?? 0;
      return starts[whole]!;
    });
    for (const [at, start] of units.entries()) {
      if (starts[start]! < writer.rowsDone || start === total) continue;
      signal?.throwIfAborted();
      onProgress?.({ stage: 'collecting', done: start, total });
      const own = prompts.slice(start, units[at + 1]);
      const { site, isNormed, positions, batchTokens } = options.config.states;
      const asked = { site, isNormed, positions, batchTokens, signal };
      for await (const { state, rows } of promptStates(model, own, asked)) {
        writer.write(state, rows);
      }
      writer.commit(own.flatMap((prompt) => rowsOf(prompt, about)));
    }
    onProgress?.({ stage: 'collecting', done: total, total });
  } finally {
    model.dispose();
  }
}

/** Bytes of residuals that one unit may keep in the host's memory, where weights are not there. */
const UNIT_BYTES = 2 ** 30;

/** What says how large a unit is. */
export interface UnitRules {
  readonly unitPrompts: number;
  readonly model: Pick<Model, 'architecture' | 'residency'>;
}

/**
 * Where units of prompts begin, and the end. Where weights are read for each unit anew, a unit is
 * as large as its residuals allow.
 */
export function unitStarts(
  prompts: readonly EncodedPrompt[],
  { unitPrompts, model }: UnitRules,
): number[] {
  const { architecture, residency } = model;
  const most = residency === 'resident' ? 0 : UNIT_BYTES / (4 * architecture.width);
  const starts = [0];
  let tokens = 0;
  for (const [at, { ids }] of prompts.entries()) {
    const isFull = at - starts.at(-1)! >= unitPrompts && tokens + ids.length > most;
    if (isFull) {
      starts.push(at);
      tokens = 0;
    }
    tokens += ids.length;
  }
  return [...starts, prompts.length];
}

/** What the states of a model and prompts are. */
function aboutOf(
  { architecture }: Pick<Model, 'architecture'>,
  { modelPath, classes, prompts, config }: CollectOptions,
): StateStoreAbout {
  const { site, positions, isNormed } = config.states;
  const { format, system, normalisation } = config.data;
  const fingerprint = checkpointFingerprint(modelPath);
  const { modelType, layerCount } = architecture;
  return {
    schemaVersion: 1,
    model: { path: modelPath, fingerprint: fingerprint.model, modelType, layerCount },
    tokenizerFingerprint: fingerprint.tokenizer,
    ...{ format, system, normalisation, site, positions },
    isNormed: site === 'residual' && isNormed,
    stateCount: statePlaces(architecture, { site, isNormed }).length,
    width: stateWidth(architecture, site),
    ...(site === 'heads' && { headCount: architecture.headCount }),
    rowCount: rowStarts(prompts, positions).at(-1)!,
    classes: [...classes],
    promptsSha256: sha256(
      canonicalJson(prompts.map(({ id, label, textSha256 }) => [id, label, textSha256])),
    ),
  };
}

function writePrompts(path: string, prompts: readonly FormattedPrompt[]): void {
  const lines = prompts.map(
    ({ id, label, prompt }) => `${JSON.stringify({ id, label, prompt })}\n`,
  );
  writeFileAtomic(path, lines.join(''));
}

function rowsOf(
  { id, label, textSha256, ids, promptEnd }: FormattedPrompt,
  { positions }: StateStoreAbout,
): StateRow[] {
  const row = { id, label, promptSha256: textSha256, tokens: ids.length };
  return positions === 'tokens' ? ids.map((_, token) => ({ ...row, token, promptEnd })) : [row];
}
