/** `explain`: why two entities are held to be the same. */
import { ConfigError } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { restoreAcceptedSeeds } from '../accepted-seeds.js';
import { createNameLookup, entityOfFlag } from '../entity-names.js';
import { explainBest, explainPair, type PairExplanation } from '../explain.js';
import { explanationText } from '../explanation-text.js';
import type { AlignmentMethod } from '../method.js';
import { restoreRun } from '../restore.js';
import type { TrainingState } from '../training-state.js';
import { backendOptions, textOption } from './options.js';
import { readConfidence } from './run-confidence.js';
import { chosenBackend } from './train.js';

/** The verb `explain`. */
export const explainCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'explain',
  summary: 'Say why two entities are held to be the same, and what speaks against it.',
  options: [
    { flags: '--run <dir>', summary: 'a trained run', topic: 'data' },
    {
      flags: '--source <name>',
      summary: 'entity of the first graph: name, last part of it, or id',
      topic: 'data',
    },
    {
      flags: '--target <name>',
      summary: 'entity of the second graph',
      topic: 'data',
      unit: 'default the best three',
    },
    ...backendOptions,
  ],
  example: `${method.name} explain --run runs/A --source Lyon --target Lyon`,
  run: (context, input) => runExplain(method, context, input),
});

async function runExplain(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<void> {
  const { options } = input;
  const dir = textOption(options, 'run');
  const source = textOption(options, 'source');
  if (dir === undefined || source === undefined) {
    const missing = dir === undefined ? '--run' : '--source';
    throw new ConfigError(`${method.name} explain: ${missing} is missing.`, {
      help: `give a run and an entity: ${method.name} explain --run RUN --source NAME`,
    });
  }
  await chosenBackend(context, input);
  context.setRun(dir);
  context.progress.update('reading the run');
  const { state, run } = await restoreRun(method, dir);
  try {
    await restoreAcceptedSeeds(run, state);
    const names = { source, target: textOption(options, 'target') };
    const explanations = await explained(context, { state, names, dir });
    context.progress.done();
    tell(context, { explanations, dir });
  } finally {
    state.dispose();
  }
}

/** What is asked for by name. */
interface Question {
  readonly state: TrainingState;
  readonly names: { readonly source: string; readonly target: string | undefined };
  readonly dir: string;
}

/** The pair, or the best three of the source. */
async function explained(
  context: CliContext,
  { state, names, dir }: Question,
): Promise<PairExplanation[]> {
  const { data } = state.task;
  const source = entityOfFlag(createNameLookup(data, data.left), '--source', names.source);
  const target =
    names.target === undefined
      ? null
      : entityOfFlag(createNameLookup(data, data.right), '--target', names.target);
  context.progress.update('comparing');
  const encoding = state.learner.encode();
  try {
    const { signal } = context;
    const options = { source, confidence: readConfidence(dir)?.model, signal };
    if (target === null) return await explainBest(state, encoding, options);
    return [await explainPair(state, encoding, { ...options, target })];
  } finally {
    encoding.dispose();
  }
}

function tell(
  context: CliContext,
  {
    explanations,
    dir,
  }: { readonly explanations: readonly PairExplanation[]; readonly dir: string },
): void {
  context.printJson({ run: dir, status: 'success', metrics: null, pairs: explanations });
  if (explanations.length === 0) context.print('no candidates: every target is in a seed\n');
  for (const [at, explanation] of explanations.entries()) {
    context.print(`${at > 0 ? '\n' : ''}${explanationText(explanation, context.width)}`);
  }
}
