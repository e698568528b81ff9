/** Neurons in the place of heads: found by contrast with another model, and patched from it. */
import {
  appendJsonLine,
  ConfigError,
  createRandom,
  createRun,
  formatCount,
  formatPercent,
  formatShare,
  type Run,
  writeFileAtomic,
} from '@lab/core';
import { type CliContext, type CliInput, table } from '@lab/core/cli';
import { checkpointFolder, loadModel, type Model, type PromptData } from '@lab/transformer';
import {
  loadOptions,
  type OpenedModel,
  openModel,
  promptFormatOf,
} from '@lab/transformer/commands';
import { ablateFiles } from '../ablate-run.js';
import { type ArmResult, armResults, armWarnings } from '../arms.js';
import { baselines } from '../baselines.js';
import type { NeuronId } from '../baselines/contrast-neurons.js';
import { generateResponses, type Response } from '../generation.js';
import { responseLine, type ResponseLine } from '../response-line.js';
import { withinRun } from '../run-folder.js';
import { version } from '../version.js';
import { type ChosenJudges, chosenJudges } from './judge-options.js';
import { passedFlags } from './score-input.js';

/** File of the neurons that were found. */
const NEURONS = 'neurons.json';

interface NeuronWork {
  readonly context: CliContext;
  readonly input: CliInput;
  readonly opened: OpenedModel;
  readonly donor: Model;
  readonly data: PromptData;
  readonly judges: ChosenJudges;
}

/**
 * Responses of a model as it is, with the neurons patched that differ most from those of `--donor`,
 * and with as many random ones.
 */
export async function patchNeurons(
  context: CliContext,
  input: CliInput,
  data: PromptData,
): Promise<void> {
  const { donor } = input.options;
  if (typeof donor !== 'string') {
    throw new ConfigError('--donor DIR is missing: neurons are those that two models differ in.', {
      help: 'Give the base model that --model was tuned from.',
    });
  }
  const folder = checkpointFolder(donor);
  const judges = await chosenJudges(context, input);
  try {
    const opened = await openModel(context, input);
    try {
      const other = await loadModel(folder, loadOptions(input));
      try {
        await study({ context, input, opened, donor: other, data, judges });
      } finally {
        other.dispose();
      }
    } finally {
      opened.model.dispose();
    }
  } finally {
    await judges.dispose();
  }
}

async function study(work: NeuronWork): Promise<void> {
  const { context, input, data } = work;
  const run = openRun(work);
  context.setRun(run.dir);
  const found: { arms?: ArmResult[]; neurons?: readonly NeuronId[]; total?: number } = {};
  await withinRun(run, context.signal, async () => {
    const lines: ResponseLine[] = [];
    const intact = await intactResponses(work);
    const rows = baselines.responseRows(
      work.opened.tokenizer,
      intact.map(({ record, text }) => ({ ...record, response: text })),
      promptFormatOf(input, work.opened.tokenizer),
    );
    const scores = await baselines.contrastNeurons(work.opened.model, work.donor, rows, {
      signal: context.signal,
      onProgress: (done, total) => context.progress.update(`neurons  ${done}/${total} texts`),
    });
    const share = (input.options['share'] as number | undefined) ?? 0.05;
    const neurons = baselines.topNeurons(scores, share);
    const total = scores.reduce((sum, row) => sum + row.length, 0);
    const file = { schemaVersion: 1, share, total, neurons };
    writeFileAtomic(run.path(NEURONS), `${JSON.stringify(file)}\n`);
    lines.push(...(await keep(run, work, ['intact', intact])));
    for (const [arm, own] of neuronArms(work, neurons, scores)) {
      lines.push(...(await keep(run, work, [arm, await patched(work, arm, own)])));
    }
    const arms = armResults(lines, { seed: run.record.seed });
    Object.assign(found, { arms, neurons, total });
    return Object.fromEntries(arms.map(({ arm, rate }) => [`asr.${arm}`, rate.share]));
  });
  context.progress.done();
  const { arms = [], neurons = [], total = 1 } = found;
  for (const warning of armWarnings(arms)) context.note(`warning: ${warning}`);
  const metrics = Object.fromEntries(arms.map(({ arm, rate }) => [`asr.${arm}`, rate.share]));
  context.printJson({ run: run.dir, status: 'success', metrics, arms });
  const share = formatPercent(neurons.length / total);
  context.print(
    `${formatCount(neurons.length)} of ${formatCount(total)} neurons (${share}) hold what those ` +
      `of the donor hold, on ${formatCount(data.records.length)} prompts\n` +
      table(
        arms.map(({ arm, rate, refusal, degenerate }) => ({
          ...{ arm, comply: formatShare(rate.share) },
          '95 %': `${formatShare(rate.low)} to ${formatShare(rate.high)}`,
          ...{ refused: formatShare(refusal), degenerate: formatShare(degenerate), n: rate.n },
        })),
      ),
  );
  context.print(`run     ${run.dir}\nnext: sahara report ${run.dir}\n`);
}

function openRun({ opened, input, data }: NeuronWork): Run {
  const { layerCount, headCount } = opened.model.architecture;
  const { donor, share = 0.05, maxNewTokens, random } = input.options;
  return createRun({
    ...{ parent: 'runs', dir: input.options['out'] as string | undefined, method: 'sahara' },
    ...{ label: 'neurons', seed: input.options['seed'] as number, backend: opened.backend },
    ...{ command: ['sahara', ...process.argv.slice(2)], passed: passedFlags(input) },
    config: { method: 'neurons', donor, share, maxNewTokens, random, decoding: 'greedy' },
    data: [data.file],
    packages: { '@lab/sahara': version },
    environment: {
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
}

async function intactResponses(work: NeuronWork): Promise<Response[]> {
  const { context, input, opened, data } = work;
  const responses: Response[] = [];
  const made = generateResponses(opened, data.records, {
    ...promptFormatOf(input, opened.tokenizer),
    ...{ maxNewTokens: input.options['maxNewTokens'] as number, signal: context.signal },
  });
  for await (const response of made) {
    responses.push(response);
    context.progress.update(`neurons  intact ${responses.length}/${data.records.length}`);
  }
  return responses;
}

/** The neurons that differ most, and as many random ones. */
function neuronArms(
  { input }: NeuronWork,
  neurons: readonly NeuronId[],
  scores: readonly Float64Array[],
): (readonly [string, readonly NeuronId[]])[] {
  const all = scores.flatMap((row, layer) =>
    Array.from(row, (_, neuron): NeuronId => ({ layer, neuron })),
  );
  const { seed, random: draws } = input.options as { seed: number; random: number };
  const random = createRandom(seed).fork('random-neurons');
  const others = Array.from({ length: draws }, (_, draw) => {
    const order = random.fork(String(draw)).permutation(all.length).subarray(0, neurons.length);
    return [`random-${draw + 1}`, Array.from(order, (at) => all[at]!)] as const;
  });
  return [['ablated', neurons], ...others];
}

async function patched(
  { context, input, opened, donor, data }: NeuronWork,
  arm: string,
  neurons: readonly NeuronId[],
): Promise<Response[]> {
  const responses: Response[] = [];
  const made = baselines.patchedResponses(opened, data.records, {
    ...promptFormatOf(input, opened.tokenizer),
    ...{ donor, neurons, signal: context.signal },
    maxNewTokens: input.options['maxNewTokens'] as number,
  });
  for await (const response of made) {
    responses.push(response);
    context.progress.update(`neurons  ${arm} ${responses.length}/${data.records.length}`);
  }
  return responses;
}

async function keep(
  run: Run,
  { judges, input }: NeuronWork,
  [arm, responses]: readonly [string, readonly Response[]],
): Promise<ResponseLine[]> {
  const { judge, secondJudge } = judges;
  const storeResponses = input.options['storeResponses'] === true;
  const lines: ResponseLine[] = [];
  for (const response of responses) {
    const line = await responseLine(arm, response, { judge, secondJudge, storeResponses });
    appendJsonLine(run.path(ablateFiles.responses), line);
    lines.push(line);
  }
  return lines;
}
