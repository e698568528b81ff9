/** What a training says on stderr: three lines at the start, then one line that moves. */
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatNumber,
  formatPercent,
} from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { BackendReport } from '@lab/tensor';
import type { ModelSource } from '../training/model-source.js';
import type {
  TrainingOutline,
  TrainingProgress,
  TrainingStep,
} from '../training/training-events.js';

/** What the first lines name. */
interface Start {
  readonly source: Pick<ModelSource, 'config'>;
  readonly backend: BackendReport;
}

const WORDS = {
  reading: 'reading the examples',
  loading: 'reading the weights',
  evaluating: 'evaluating',
  saving: 'saving',
} as const;

/** A progress callback that writes to the context. */
export function trainingReporter(
  context: CliContext,
  start: Start,
): (progress: TrainingProgress) => void {
  const stepLine = createStepLine();
  return (progress) => {
    if (progress.stage === 'step') {
      context.progress.update(stepLine(progress), progress.step / progress.steps);
      return;
    }
    if (progress.stage !== 'ready') {
      // Between steps the line of the last one stays.
      if (progress.stage !== 'evaluating') context.progress.update(WORDS[progress.stage]);
      return;
    }
    context.progress.done();
    for (const line of startLines(progress, start)) context.note(line);
    if (progress.run !== null) context.setRun(progress.run);
    context.onSecondInterrupt('the steps since the last checkpoint are lost');
  };
}

function startLines(outline: TrainingOutline, { source, backend }: Start): string[] {
  const { weights, trained, examples, heldOut, tokens, steps, epochs, stepsDone } = outline;
  const type = String(source.config['model_type']);
  const threads = formatCounted(backend.threads, 'thread');
  const padding = formatPercent(outline.paddingShare);
  const done = stepsDone === 0 ? '' : `, ${formatCount(stepsDone)} done`;
  return [
    `model  ${type}, ${formatCount(weights)} weights, ${formatCount(trained)} numbers trained`,
    `data   ${formatCounted(examples, 'example')}, ${formatCount(heldOut)} held out, ` +
      `${formatCount(tokens)} tokens an epoch, ${padding} padding`,
    `on     ${backend.name} (${backend.reason}), ${threads}; ${formatCounted(steps, 'step')} in ` +
      `${formatCounted(epochs, 'epoch')}${done}`,
    ...outline.remarks.map((remark) => `note   ${remark}`),
  ];
}

/** The moving line, with a pace that forgets. */
function createStepLine(): (step: TrainingStep) => string {
  let [pace, rate] = [0, 0];
  let [timed, heldOut] = [0, ''];
  return ({ step, steps, loss, evaluation, seconds, tokens }) => {
    timed += 1; // the first step also prepares the backend: the second one takes its place
    pace = timed <= 2 ? seconds : 0.9 * pace + 0.1 * seconds;
    rate = timed <= 2 ? tokens / seconds : 0.9 * rate + (0.1 * tokens) / seconds;
    if (evaluation !== null) heldOut = `  held out ${evaluation.loss.toFixed(3)}`;
    const left = step < steps ? `  ETA ${formatDuration((steps - step) * pace)}` : '';
    return (
      `train  step ${step}/${steps}  loss ${loss.toFixed(3)}${heldOut}  ` +
      `${formatNumber(rate)} tokens/s${left}  ${formatBytes(process.memoryUsage.rss())}`
    );
  };
}
