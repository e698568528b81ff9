/** `surgery`: a checkpoint with heads ablated for good, or with parts of another. */
import { ConfigError, formatBytes, formatCounted } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { readModelConfig } from '@lab/transformer';
import { modelFolder } from '@lab/transformer/commands';
import { type MixSelector, mixCheckpoints, selectorText } from '../mix-checkpoints.js';
import { modifiedText, planSurgery, surgery, undoSurgery } from '../surgery.js';
import {
  ablationOf,
  ablationOptions,
  chosenHeads,
  headOptions,
  headsText,
} from './head-options.js';

/** The verb `surgery`. */
export const surgeryCommand: CliCommand = {
  name: 'surgery',
  summary: 'Write a checkpoint with heads ablated for good, or with parts of another one.',
  options: [
    {
      flags: '--model <dir>',
      summary: 'checkpoint: folder of safetensors, Hugging Face cache, or example:organism',
    },
    { flags: '-o, --out <dir>', summary: 'folder of the new checkpoint' },
    { flags: '--force', summary: 'write over a checkpoint that is there', kind: 'boolean' },
    { flags: '--dry-run', summary: 'say what would be changed, and end', kind: 'boolean' },
    {
      flags: '--undo',
      summary: 'put back what surgery took from this checkpoint',
      kind: 'boolean',
    },
    {
      flags: '--donor <dir>',
      summary: 'take parts of this checkpoint in the place of ablating',
      topic: 'mixing',
    },
    {
      flags: '--parts <what>',
      summary: 'of --donor: attention, mlp, the heads of --heads, or --layers',
      choices: ['attention', 'mlp', 'heads', 'layers'],
      topic: 'mixing',
    },
    {
      flags: '--layers <list>',
      summary: 'of --parts layers: 0,1,5',
      kind: 'list',
      topic: 'mixing',
    },
    ...headOptions,
    ...ablationOptions,
  ],
  example: 'sahara surgery --model example:organism --heads 2-3 --out edited',
  run: (context, input) => {
    if (input.options['undo'] === true) return undo(context, input);
    const isMix = input.options['donor'] !== undefined || input.options['parts'] !== undefined;
    return isMix ? mix(context, input) : ablateForGood(context, input);
  },
};

const outOf = ({ options }: CliInput): string => {
  if (typeof options['out'] === 'string') return options['out'];
  throw new ConfigError('--out DIR is missing.', {
    help: 'Name the folder of the new checkpoint.',
  });
};

const progressOf =
  (context: CliContext) =>
  (done: number, total: number): void =>
    context.progress.update(`surgery  ${formatBytes(done)} of ${formatBytes(total)}`, done / total);

async function ablateForGood(context: CliContext, input: CliInput): Promise<void> {
  const folder = modelFolder(input);
  const { heads } = chosenHeads(input, readModelConfig(folder).architecture);
  const edit = { heads, ablation: ablationOf(input) };
  const plan = planSurgery(folder, edit);
  for (const remark of plan.remarks) context.note(`warning: ${remark}`);
  const where = formatCounted(plan.weights.length, 'weight');
  const what = `${headsText(heads)}: ${modifiedText(plan)} in ${where}`;
  if (input.options['dryRun'] === true) {
    context.print(`would change ${what}\n`);
    context.printJson({ run: null, status: 'planned', metrics: null, plan });
    return;
  }
  const out = outOf(input);
  const written = await surgery(folder, out, {
    ...edit,
    force: input.options['force'] === true,
    signal: context.signal,
    onProgress: progressOf(context),
  });
  context.progress.done();
  context.note('this checkpoint may refuse less than the original; its headers say so');
  context.note(`to undo: sahara surgery --undo --model ${out} --out DIR`);
  context.printJson({ run: null, status: 'success', metrics: null, ...written });
  context.print(`changed ${what}\nmodel   ${out}\n`);
  context.print(`next: transformer generate ${out} --prompt 'Hello'\n`);
}

async function undo(context: CliContext, input: CliInput): Promise<void> {
  const { heads, scores, donor, force } = input.options;
  if (heads !== undefined || scores !== undefined || donor !== undefined) {
    throw new ConfigError('--undo puts back all that was taken, and heads are named.', {
      help: 'Leave --heads, --scores and --donor out.',
    });
  }
  const out = outOf(input);
  const written = await undoSurgery(modelFolder(input), out, {
    ...{ force: force === true, signal: context.signal, onProgress: progressOf(context) },
  });
  context.progress.done();
  context.printJson({ run: null, status: 'success', metrics: null, ...written });
  const where = formatCounted(written.changedWeights.length, 'weight');
  context.print(`put back what surgery took from ${where}\nmodel   ${out}\n`);
}

async function mix(context: CliContext, input: CliInput): Promise<void> {
  const { donor, force } = input.options;
  if (typeof donor !== 'string') {
    throw new ConfigError('--donor DIR is missing.', {
      help: 'Name the checkpoint to take parts of.',
    });
  }
  const folder = modelFolder(input);
  const selector = selectorOf(input, folder);
  const out = outOf(input);
  const written = await mixCheckpoints(folder, donor, {
    ...{ to: out, selector, force: force === true },
    signal: context.signal,
    onProgress: progressOf(context),
  });
  context.progress.done();
  const { changedWeights } = written;
  context.printJson({ run: null, status: 'success', metrics: null, ...written });
  context.print(
    `${selectorText(selector)} of ${donor}, ${formatCounted(changedWeights.length, 'weight')}\n` +
      `model   ${out}\n`,
  );
}

function selectorOf(input: CliInput, folder: string): MixSelector {
  const { parts, layers } = input.options;
  switch (parts) {
    case 'attention':
    case 'mlp':
      return parts;
    case 'layers':
      return { layers: ((layers as string[] | undefined) ?? []).map(Number) };
    case 'heads':
      return { heads: chosenHeads(input, readModelConfig(folder).architecture).heads };
    default:
      throw new ConfigError('--parts is missing.', {
        help: 'Give attention, mlp, heads (with --heads) or layers (with --layers).',
      });
  }
}
