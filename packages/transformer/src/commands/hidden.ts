/** `transformer hidden`: logits and hidden states of token ids, as a safetensors file. */
import { ConfigError, formatBytes, formatCounted } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { writeSafetensors, type WritableArray } from '@lab/tensor/io';
import type { Captured } from '../captures.js';
import { loadModel } from '../load-model.js';
import { configOf } from '../model-config.js';
import { loadT5 } from '../t5/t5-model.js';
import { checkpointFolder } from '../weights/checkpoint.js';
import { type IdFile, readIdFile } from './id-file.js';
import { backendOption, chosenBackend, modelArgument, requiredOption } from './model-options.js';

/** The verb `hidden`. */
export const hiddenCommand: CliCommand = {
  name: 'hidden',
  summary: 'Write logits and hidden states of token ids.',
  arguments: [modelArgument],
  options: [
    {
      flags: '--ids <file>',
      summary: 'JSON { "ids": [[..]], "mask": [[..]], "decoderIds": [[..]] }',
    },
    {
      flags: '-o, --out <file>',
      summary: 'safetensors file with logits and hidden.0, hidden.1 ..',
    },
    {
      flags: '--stream',
      summary: 'read the weights of one block at a time, for models larger than memory',
      kind: 'boolean',
    },
    backendOption,
  ],
  example: 'transformer hidden MODEL --ids ids.json --out states.safetensors',
  run: async (context, input) => {
    const [ids, out] = ['ids', 'out'].map((name) => requiredOption('hidden', input, name));
    const given = readIdFile(ids!);
    const folder = checkpointFolder(input.arguments[0]!);
    await chosenBackend(context, input);
    const { fields } = configOf(folder);
    context.progress.update('reading the weights');
    const tensors =
      fields.text('model_type', '') === 't5'
        ? await t5States(folder, given)
        : await decoderStates(context, {
            folder,
            given,
            isStreamed: input.options['stream'] === true,
          });
    context.progress.done();
    await writeSafetensors(out!, tensors);
    const names = Object.keys(tensors);
    const sizeBytes = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
    const shape = tensors['logits']!.shape;
    context.printJson({ status: 'success', out, names, logits: shape });
    context.print(
      `${out}: ${formatCounted(names.length, 'array')}, ${formatBytes(sizeBytes)}\n` +
        `logits [${shape.join(', ')}], ${names.filter((name) => name !== 'logits').join(', ')}\n`,
    );
  },
};

type States = Record<string, WritableArray>;

const arrayOf = ({ shape, data }: Captured): WritableArray => ({ shape, data });

async function decoderStates(
  context: CliContext,
  { folder, given, isStreamed }: { folder: string; given: IdFile; isStreamed: boolean },
): Promise<States> {
  if (given.decoderIds !== undefined) {
    throw new ConfigError('transformer/hidden: decoderIds are given, this model has no encoder.', {
      help: 'Leave decoderIds out.',
    });
  }
  const model = await loadModel(folder, { residency: isStreamed ? 'streamed' : 'auto' });
  try {
    context.progress.update('computing');
    const capture = /^blocks\.\d+\.hook_resid_pre$|^ln_final\.hook_normalized$/;
    const result = await model.forward({ ...given, capture });
    const logits = result.logits!;
    const states: States = { logits: { shape: logits.shape, data: await floats(logits) } };
    for (let layer = 0; layer < model.architecture.layerCount; layer += 1) {
      states[`hidden.${layer}`] = arrayOf(result.captured.get(`blocks.${layer}.hook_resid_pre`)!);
    }
    const last = result.captured.get('ln_final.hook_normalized')!;
    states[`hidden.${model.architecture.layerCount}`] = arrayOf(last);
    result.dispose();
    return states;
  } finally {
    model.dispose();
  }
}

async function t5States(folder: string, { decoderIds, ...given }: IdFile): Promise<States> {
  const model = await loadT5(folder);
  try {
    const { startId, encoderLayerCount, decoderLayerCount } = model.architecture;
    const capture = /\.hook_resid_pre$|\.final_ln\.hook_normalized$/;
    const begins = decoderIds ?? given.ids.map(() => [startId]);
    const result = await model.forward({ ...given, decoderIds: begins, capture });
    const states: States = {
      logits: { shape: result.logits.shape, data: await floats(result.logits) },
    };
    const sides = [
      { side: 'decoder', key: 'hidden', count: decoderLayerCount },
      { side: 'encoder', key: 'encoder', count: encoderLayerCount },
    ];
    for (const { side, key, count } of sides) {
      for (let layer = 0; layer <= count; layer += 1) {
        const place = layer === count ? 'final_ln.hook_normalized' : `${layer}.hook_resid_pre`;
        states[`${key}.${layer}`] = arrayOf(result.captured.get(`${side}.${place}`)!);
      }
    }
    result.dispose();
    return states;
  } finally {
    model.dispose();
  }
}

const floats = async (x: { data(): Promise<unknown> }) => (await x.data()) as Float32Array;
