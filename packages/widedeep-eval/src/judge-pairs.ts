/**
 * Many samples through a network, as a run that loses nothing.
 */
import { ConfigError, sha256 } from '@lab/core';
import {
  describedFacts,
  isSampleFailure,
  type LlmClient,
  LlmFailure,
  type MethodRunOptions,
  type RowContext,
  rowSettingsOf,
  type RowsResult,
  runRows,
} from '@lab/llm';
import type { WidedeepConfig } from './config.js';
import { builtInFamilies } from './families/built-in.js';
import type { Families } from './families/load-families.js';
import type { Judgement } from './judgement.js';
import { judgeSample, unjudged } from './judge-sample.js';
import type { Sample } from './sample.js';
import { version } from './version.js';

/** Settings of {@link judgePairs}. */
export interface JudgePairsOptions extends MethodRunOptions {
  readonly samples: readonly Sample[];
  readonly client: LlmClient;
  /** Further models by the names of `jury.models`. */
  readonly clients?: Readonly<Record<string, LlmClient>> | undefined;
  readonly config: WidedeepConfig;
  /** Default: those of the package. */
  readonly families?: Families | undefined;
}

/** Status of a sample of which too few judges gave scores. */
export const unjudgedStatus = 'unparsed';

/**
 * Judges samples; `predictions.jsonl` of the folder has a {@link Judgement} for each, in the order
 * of the samples: one without a verdict for a pair that does not fit or is refused. Cache, budget,
 * shards and resuming are those of `@lab/llm`.
 *
 * @throws {ConfigError} for settings that do not go together, a family that there is not, and a
 *   folder that holds another run.
 * @throws {InterruptedError} {BudgetError} {FailedRowsError} {LlmFailure} as `runRows`.
 */
export async function judgePairs(options: JudgePairsOptions): Promise<RowsResult> {
  const { samples, client, config, families = builtInFamilies, facts = {} } = options;
  checkConfig(config);
  checkFamilies(samples, families);
  return runRows<Sample, Judgement>({
    ...rowSettingsOf(options),
    rows: samples,
    total: samples.length,
    step: (sample, context) => judgeRow(sample, context, { config, families }),
    client,
    clients: options.clients,
    description: {
      method: 'widedeep-eval',
      label: facts.label ?? client.model,
      seed: config.seed ?? 0,
      config: {
        model: client.model,
        server: facts.server ?? null,
        mode: facts.mode ?? null,
        preset: facts.preset ?? null,
        settings: config,
        prompts: promptDigests(samples, families),
      },
      ...describedFacts(facts),
      packages: { '@lab/widedeep-eval': version },
    },
  });
}

async function judgeRow(
  sample: Sample,
  { client, clients, setStatus, addFields }: RowContext,
  { config, families }: { readonly config: WidedeepConfig; readonly families: Families },
): Promise<Judgement> {
  try {
    const judgement = await judgeSample(sample, { config, families, client, clients });
    if (judgement.verdict === null) setStatus(unjudgedStatus);
    return judgement;
  } catch (error) {
    // Prompts that are cut again and again end a run, which is for its engine to see.
    if (!(error instanceof LlmFailure) || !isSampleFailure(error.kind)) throw error;
    if (error.kind === 'truncated') throw error;
    setStatus(error.kind);
    const { message: problem, body } = error;
    addFields(body === undefined ? { problem } : { problem, body });
    // What people say of it is kept: a pair without a verdict counts as wrong.
    return unjudged(sample);
  }
}

/** Digests of the families in use, so that a run goes on only with the same prompts. */
function promptDigests(samples: readonly Sample[], families: Families): Record<string, string> {
  const names = [...new Set(samples.map(({ family }) => family))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const { system = '', text = '' } = families.get(name) ?? {};
      return [name, sha256(`${system}\n${text}`).slice(0, 16)];
    }),
  );
}

/**
 * Nothing, when there is a family for each sample.
 *
 * @throws {ConfigError} otherwise.
 */
export function checkFamilies(samples: readonly Sample[], families: Families): void {
  const unknown = samples.find(({ family }) => !families.has(family));
  if (unknown === undefined) return;
  throw new ConfigError(
    `widedeep-eval: sample ${JSON.stringify(unknown.id)} is of the family ` +
      `${JSON.stringify(unknown.family)}, which there is not.`,
    { help: `families are ${[...families.keys()].join(', ')}; --families FILE adds others.` },
  );
}

/**
 * Nothing, when the settings go together.
 *
 * @throws {ConfigError} otherwise.
 */
export function checkConfig({ roles, network, judge, jury }: WidedeepConfig): void {
  const wrong = [
    roles.kind === 'library' && roles.library.length === 0
      ? 'roles.kind is library, and roles.library names no angle'
      : null,
    roles.max !== null && roles.max < roles.min
      ? `roles.max is ${roles.max}, below roles.min ${roles.min}`
      : null,
    roles.kind !== 'none' && network.width > 1
      ? `network.width is ${network.width}, and the angles decide the width; set roles.kind=none`
      : null,
    judge.kind !== 'model' && jury.models.length > 0
      ? `judge.kind is ${judge.kind}, which asks no model of jury.models`
      : null,
  ].filter((text) => text !== null);
  if (wrong.length === 0) return;
  throw new ConfigError(`widedeep-eval: ${wrong.join('; ')}.`, {
    help: '"widedeep-eval config --explain" shows every setting with its origin.',
  });
}
