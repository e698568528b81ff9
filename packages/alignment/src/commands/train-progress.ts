/** What a training says on stderr: three lines at the start, then one line that moves. */
import { formatBytes, formatCount, formatCounted, formatDuration, formatShare } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { BackendReport } from '@lab/tensor';
import { searchReporter } from './search-progress.js';
import { validationText } from '../automatic-seeds.js';
import type { AlignmentMethod } from '../method.js';
import { PEAK_MEMORY, peakTensorBytes } from '../peak-memory.js';
import type { TrainingOutline, TrainProgress } from '../training-options.js';

/** Mode and preset for the first line. */
export interface TrainingLabel {
  readonly mode: string;
  readonly preset: string | null;
}

/** A progress callback that writes to the context. */
export function trainingReporter(
  method: AlignmentMethod,
  context: CliContext,
  { label, backend }: { readonly label: TrainingLabel; readonly backend: BackendReport },
): (progress: TrainProgress) => void {
  const epochReporter = createEpochReporter(context);
  return (progress) => {
    if (progress.stage === 'reading') context.progress.update('reading the graphs');
    if (progress.stage === 'baseline') context.progress.update('ranking the baseline');
    if (progress.stage === 'baseline-remarks') say(context, progress.remarks.map(noteLine));
    if (progress.stage === 'search') {
      const text = `train  epoch ${progress.epoch + 1}/${progress.epochs}  searching pseudo seeds`;
      searchReporter(context, text)(progress);
    }
    if (progress.stage === 'epoch') epochReporter(progress);
    if (progress.stage !== 'ready') return;
    say(context, startLines(method, progress, { label, backend }));
    if (progress.run !== null) context.setRun(progress.run);
    context.onSecondInterrupt('the epochs since the last checkpoint are lost');
  };
}

const noteLine = (remark: string) => `note   ${remark}`;

/** Lines that stay, above the one that moves. */
function say(context: CliContext, lines: readonly string[]): void {
  if (lines.length > 0) context.progress.done();
  for (const line of lines) context.note(line);
}

/** Whole trainings shorter than this many seconds are not announced. */
const ANNOUNCED_SECONDS = 10;

/** The moving line, the expected time, and each remark of an evaluation once. */
function createEpochReporter(context: CliContext) {
  const said = new Set<string>();
  let lastHits = '';
  let meanSeconds = 0;
  let timed = 0;
  let isAnnounced = false;
  return ({ record, epochs, seconds }: Extract<TrainProgress, { stage: 'epoch' }>): void => {
    timed += 1; // the first epoch also prepares the backend: the second one takes its place
    meanSeconds = timed <= 2 ? seconds : 0.8 * meanSeconds + 0.2 * seconds;
    const done = record.epoch + 1;
    const leftSeconds = (epochs - done) * meanSeconds;
    const news = (record.remarks ?? []).filter((remark) => !said.has(remark));
    for (const remark of news) said.add(remark);
    const lines = news.map(noteLine);
    if (!isAnnounced && (timed === 2 || seconds > ANNOUNCED_SECONDS)) {
      isAnnounced = true;
      if (leftSeconds > ANNOUNCED_SECONDS) lines.unshift(expectedTime(leftSeconds, epochs - done));
    }
    say(context, lines);
    const hits = record.evaluation?.forward['hits@1'];
    if (hits !== undefined) lastHits = `  H@1 ${formatShare(hits)}`;
    const left = done < epochs ? `  ETA ${formatDuration(leftSeconds)}` : '';
    const text =
      `train  epoch ${done}/${epochs}  loss ${record.loss.toFixed(3)}${lastHits}  ` +
      `${pace(seconds)}${left}  peak ${formatBytes(peakTensorBytes())}`;
    context.progress.update(text, done / epochs);
  };
}

const expectedTime = (seconds: number, epochs: number) =>
  `time   about ${formatDuration(seconds)} for ${formatCounted(epochs, 'epoch')}, ` +
  'evaluations and report apart';

/** Pairs outside of training, as far as there are any. */
function heldOut({ validationPairs, testPairs, seedOrigin }: TrainingOutline): string {
  const parts = [
    ...(validationPairs > 0 ? [validationText(validationPairs, seedOrigin)] : []),
    ...(testPairs > 0 ? [`${formatCount(testPairs)} test pairs`] : []),
  ];
  return parts.length > 0 ? `, ${parts.join(', ')}` : ', no test pairs';
}

/** `1.7 s/epoch`, below a tenth of a second `35 ms/epoch`. */
function pace(seconds: number): string {
  return seconds < 0.095
    ? `${Math.ceil(seconds * 1000)} ms/epoch`
    : `${seconds.toFixed(1)} s/epoch`;
}

function startLines(
  { name }: Pick<AlignmentMethod, 'name'>,
  outline: TrainingOutline,
  { label, backend }: { readonly label: TrainingLabel; readonly backend: BackendReport },
): string[] {
  const { mode, preset } = label;
  const { entities, triples, seeds, seedOrigin, modalities, parameters, remarks } = outline;
  const counts =
    `${formatCount(entities.left)} + ${formatCount(entities.right)} entities, ` +
    `${formatCount(triples)} triples, ` +
    `${formatCount(seeds)} seeds (${seedOrigin})${heldOut(outline)}`;
  const memory = formatBytes(outline.expectedTensorBytes);
  const threads = formatCounted(backend.threads, 'thread');
  return [
    `${name}  mode ${mode}${preset === null ? '' : `, preset ${preset}`}, modalities ` +
      `${modalities.join(', ')}, ${formatCount(parameters)} parameters`,
    `data   ${counts}`,
    `on     ${backend.name} (${backend.reason}), ${threads}, about ${memory} ${PEAK_MEMORY}`,
    ...remarks.map(noteLine),
  ];
}
