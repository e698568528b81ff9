/** `evaluate`: the metrics of a run again, from its checkpoint. */
import { ConfigError } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { type BaselineResult, measureBaseline } from '../baseline.js';
import { type AlignmentEvaluation, evaluateModel } from '../evaluate.js';
import type { AlignmentMethod } from '../method.js';
import { restoreRun } from '../restore.js';
import { evidenceText } from '../run-page.js';
import type { RunSummary } from '../run-summary.js';
import { metricsTable } from './metrics-table.js';
import { backendOptions } from './options.js';
import { chosenBackend } from './train.js';

/** The verb `evaluate`. */
export const evaluateCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'evaluate',
  summary: 'Measure a trained run again, from its checkpoint.',
  arguments: [{ name: 'run', summary: 'run folder', required: true }],
  options: [
    {
      flags: '--candidates <name>',
      summary: 'rank among the test entities or all entities of the other graph',
      choices: ['test', 'all'],
    },
    {
      flags: '--scores <name>',
      summary: 'score pairs by the fused vectors alone, or by the evidence of every modality',
      choices: ['fused', 'evidence'],
    },
    ...backendOptions,
  ],
  example: `${method.name} evaluate runs/2026-11-26T0912-${method.name}-s1-3f9c --candidates all`,
  run: async (context, input) => {
    await chosenBackend(context, input);
    const dir = input.arguments[0]!;
    context.setRun(dir);
    context.progress.update('reading the run');
    const { state, run } = await restoreRun(method, dir);
    try {
      const { test, origin: seedOrigin } = state.task.split;
      if (test.length === 0) {
        throw new ConfigError(`${method.name} evaluate: ${dir} has no test pairs.`, {
          help: 'train with fewer seeds than links, so that some links are left to test',
        });
      }
      const candidates = input.options['candidates'] as 'test' | 'all' | undefined;
      if (candidates !== undefined) state.config.evaluation.candidates = candidates;
      const scores = input.options['scores'] as 'fused' | 'evidence' | undefined;
      if (scores !== undefined) state.config.evaluation.scores = scores;
      context.progress.update('ranking');
      // The draws of the training's own evaluation after that epoch, so that mode official repeats.
      const random = state.random.fork(`epoch/${state.epoch - 1}`).fork('test');
      const evaluation = { pairs: test, random, signal: context.signal };
      const found = await evaluateModel(state, evaluation);
      const baseline = await measureBaseline(state.task, state.config, context.signal);
      context.progress.done();
      tell(context, { name: method.name, run: run.dir, found, baseline, seedOrigin });
    } finally {
      state.dispose();
    }
  },
});

/** What was measured, and on what. */
interface Measured extends Pick<RunSummary, 'seedOrigin'> {
  readonly name: string;
  readonly run: string;
  readonly found: AlignmentEvaluation;
  readonly baseline: BaselineResult;
}

function tell(context: CliContext, { name, run, found, baseline, seedOrigin }: Measured): void {
  const { forward, backward, remarks, evidence } = found;
  const notes = [...remarks, ...(baseline.remarks ?? [])];
  for (const remark of notes) context.note(`note: ${remark}`);
  const metrics = { forward, backward, ...(evidence === undefined ? {} : { evidence }) };
  context.printJson({
    run,
    status: 'success',
    metrics,
    seedOrigin,
    baseline,
    remarks,
  });
  context.print(metricsTable(name, { metrics, baseline, seedOrigin }));
  const text = evidenceText(evidence).trim();
  if (text !== '') context.print(`\n${text}\n`);
}
