/** Neurons in the place of heads: found by contrast with another model, and patched from it. */
import { existsSync, readFileSync } from 'node:fs';
import {
  appendJsonLine,
  ConfigError,
  createRandom,
  createRun,
  DataError,
  formatCount,
  formatPercent,
  formatShare,
  type Run,
  writeFileAtomic,
} from '@lab/core';
import { type CliContext, type CliInput, table } from '@lab/core/cli';
import {
  checkpointFingerprint,
  checkpointFolder,
  loadModel,
  type Model,
  type PromptData,
} from '@lab/transformer';
import {
  loadOptions,
  type OpenedModel,
  openModel,
  promptFormatOf,
  readPrompts,
} from '@lab/transformer/commands';
import { z } from 'zod';
import { ablateFiles, doneLines } from '../ablate-run.js';
import { type ArmResult, armResults, armWarnings } from '../arms.js';
import { baselines } from '../baselines.js';
import type { NeuronId } from '../baselines/contrast-neurons.js';
import { generateResponses, promptRoom, type Response } from '../generation.js';
import { responseLine } from '../response-line.js';
import { resumedRun, withinRun } from '../run-folder.js';
import { version } from '../version.js';
import { type ChosenJudges, chosenJudgeNames, chosenJudges } from './judge-options.js';
import { passedFlags, withEarlierFlags } from './score-input.js';

/** File of the neurons that were found, written once the intact model's responses are kept. */
const NEURONS = 'neurons.json';

const neuronsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  share: z.number(),
  total: z.int(),
  neurons: z.array(z.strictObject({ layer: z.int(), neuron: z.int() })),
});

type FoundNeurons = z.infer<typeof neuronsSchema>;

interface NeuronWork {
  readonly context: CliContext;
  readonly input: CliInput;
  readonly opened: OpenedModel;
  readonly donor: Model;
  /** Of the donor. */
  readonly fingerprint: string;
  readonly data: PromptData;
  readonly judges: ChosenJudges;
}

/**
 * Responses of a model as it is, with the neurons patched that differ most from those of `--donor`,
 * and with as many random ones.
 */
export async function patchNeurons(context: CliContext, given: CliInput): Promise<void> {
  const input = withEarlierFlags(given, 'neurons');
  const data = await readPrompts(context, input);
  const { donor } = input.options;
  if (typeof donor !== 'string') {
    throw new ConfigError('--donor DIR is missing: neurons are those that two models differ in.', {
      help: 'Give the base model that --model was tuned from.',
    });
  }
  const folder = checkpointFolder(donor);
  const fingerprint = checkpointFingerprint(folder).model;
  const judges = await chosenJudges(context, input);
  try {
    const opened = await openModel(context, input);
    try {
      const other = await loadModel(folder, loadOptions(input));
      try {
        await study({ context, input, opened, donor: other, fingerprint, data, judges });
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
  const { context, data } = work;
  const run = openRun(work);
  context.setRun(run.dir);
  context.onSecondInterrupt('ended at once; the response at work is made again on resume.');
  const held: { arms?: ArmResult[]; found?: FoundNeurons } = {};
  await withinRun(run, context.signal, async () => {
    const found = earlierNeurons(run) ?? (await foundNeurons(run, work));
    for (const [arm, neurons] of neuronArms(work, found)) {
      await keptResponses(run, work, { arm, neurons });
    }
    const { seed } = run.record;
    const arms = armResults(doneLines(run, ablateFiles.responses), { seed });
    Object.assign(held, { arms, found });
    return metricsOf(arms);
  });
  context.progress.done();
  const [arms, { neurons, total }] = [held.arms!, held.found!];
  for (const warning of armWarnings(arms)) context.note(`warning: ${warning}`);
  context.printJson({ run: run.dir, status: 'success', metrics: metricsOf(arms), arms });
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

const metricsOf = (arms: readonly ArmResult[]): Record<string, number> =>
  Object.fromEntries(arms.map(({ arm, rate }) => [`asr.${arm}`, rate.share]));

/** What the flags say of responses. */
function settingsOf({ input, opened }: NeuronWork) {
  const { options } = input;
  const number = (name: string, otherwise: number) =>
    (options[name] as number | undefined) ?? otherwise;
  return {
    ...{ share: number('share', 0.05), maxNewTokens: number('maxNewTokens', 128) },
    ...{ random: number('random', 1), seed: number('seed', 1) },
    ...promptFormatOf(input, opened.tokenizer),
    ...{ storeResponses: options['storeResponses'] === true, judges: chosenJudgeNames(input) },
  };
}

function openRun(work: NeuronWork): Run {
  const { opened, input, data, fingerprint } = work;
  const { layerCount, headCount } = opened.model.architecture;
  const { donor, resume } = input.options;
  const settings = settingsOf(work);
  const subject = {
    ...{ model: opened.fingerprint.model, tokenizer: opened.fingerprint.tokenizer },
    ...{ donor: fingerprint, prompts: data.sha256, settings },
  };
  if (typeof resume === 'string') return resumedRun(resume, subject);
  return createRun({
    ...{ parent: 'runs', dir: input.options['out'] as string | undefined, method: 'sahara' },
    ...{ label: 'neurons', seed: settings.seed, backend: opened.backend },
    ...{ command: ['sahara', ...process.argv.slice(2)], passed: passedFlags(input) },
    config: { method: 'neurons', donor, ...settings, decoding: 'greedy' },
    data: [data.file],
    packages: { '@lab/sahara': version },
    environment: {
      subject,
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
}

/** Neurons that the run has found already. */
function earlierNeurons(run: Run): FoundNeurons | null {
  const path = run.path(NEURONS);
  if (!existsSync(path)) return null;
  try {
    return neuronsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new DataError(`${path}: is no file of neurons.`, {
      ...{ file: path, cause, help: 'Remove it: the neurons are found again.' },
    });
  }
}

/** The neurons that differ most over the intact model's own responses, which are kept as well. */
async function foundNeurons(run: Run, work: NeuronWork): Promise<FoundNeurons> {
  const { context, opened, donor } = work;
  const { share, maxNewTokens, ...format } = settingsOf(work);
  const intact = await keptResponses(run, work, { arm: 'intact' });
  const answered = intact.map(({ record, text }) => ({ ...record, response: text }));
  const { contextTokens } = opened.model.architecture;
  const { format: name, system, truncate } = format;
  const rows = baselines.responseRows(opened.tokenizer, answered, {
    ...{ format: name, system, truncate },
    maxTokens: promptRoom(contextTokens, { truncate, maxNewTokens }),
  });
  const scores = await baselines.contrastNeurons(opened.model, donor, rows, {
    signal: context.signal,
    onProgress: (done, total) => context.progress.update(`neurons  ${done}/${total} texts`),
  });
  const neurons = baselines.topNeurons(scores, share);
  const total = scores.reduce((sum, row) => sum + row.length, 0);
  const found: FoundNeurons = { schemaVersion: 1, share, total, neurons };
  writeFileAtomic(run.path(NEURONS), `${JSON.stringify(found)}\n`);
  return found;
}

/** The neurons that differ most, and as many random ones. */
function neuronArms(
  work: NeuronWork,
  { neurons, total }: FoundNeurons,
): (readonly [string, readonly NeuronId[]])[] {
  const width = total / work.opened.model.architecture.layerCount;
  const { seed, random: draws } = settingsOf(work);
  const random = createRandom(seed).fork('random-neurons');
  const others = Array.from({ length: draws }, (_, draw) => {
    const order = random.fork(String(draw)).permutation(total).subarray(0, neurons.length);
    const drawn = Array.from(order, (at): NeuronId => {
      return { layer: Math.floor(at / width), neuron: at % width };
    });
    return [`random-${draw + 1}`, drawn] as const;
  });
  return [['ablated', neurons], ...others];
}

interface NeuronArm {
  readonly arm: string;
  /** That are patched; the model as it is without them. */
  readonly neurons?: readonly NeuronId[] | undefined;
}

/**
 * Responses of an arm, each judged and kept as it comes. What an earlier call has kept is left out;
 * of the intact model it is made again and not kept twice, as its text is needed.
 */
async function keptResponses(
  run: Run,
  work: NeuronWork,
  { arm, neurons }: NeuronArm,
): Promise<Response[]> {
  const { context, opened, donor, data, judges } = work;
  const { maxNewTokens, storeResponses, format, system, truncate } = settingsOf(work);
  const path = run.path(ablateFiles.responses);
  const lines = doneLines(run, ablateFiles.responses);
  const done = new Set(lines.flatMap((line) => (line.arm === arm ? [line.id] : [])));
  const { signal, logger } = context;
  const common = { format, system, truncate, maxNewTokens, signal, logger };
  const made =
    neurons === undefined
      ? generateResponses(opened, data.records, common)
      : baselines.patchedResponses(opened, data.records, {
          ...{ ...common, donor, neurons, isDone: (id: string) => done.has(id) },
        });
  const { judge, secondJudge } = judges;
  const earlier = neurons === undefined ? 0 : done.size;
  const responses: Response[] = [];
  for await (const response of made) {
    if (!done.has(response.record.id)) {
      const line = await responseLine(arm, response, { judge, secondJudge, storeResponses });
      appendJsonLine(path, line);
    }
    responses.push(response);
    const count = earlier + responses.length;
    context.progress.update(`neurons  ${arm} ${count}/${data.records.length}`);
  }
  return responses;
}
