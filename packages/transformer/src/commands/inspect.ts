/** `transformer inspect`: what a checkpoint is, without reading its weights. */
import { formatBytes, formatCount } from '@lab/core';
import type { CliCommand } from '@lab/core/cli';
import type { Architecture } from '../architecture.js';
import { hookNames } from '../hook-names.js';
import { isOptional } from '../hooks.js';
import { configOf, readModelConfig } from '../model-config.js';
import { readT5, type T5Architecture } from '../t5/t5-config.js';
import { type T5HookPlace, t5HookNames } from '../t5/t5-hook-names.js';
import { matchT5 } from '../t5/t5-weights.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import { matchWeights, ownWeights, weightList } from '../weights/expected-weights.js';
import { modelArgument } from './model-options.js';

/** The verb `inspect`. */
export const inspectCommand: CliCommand = {
  name: 'inspect',
  summary:
    'Say what a checkpoint is, and where hooks may be; weights that do not match are an error.',
  arguments: [modelArgument],
  options: [{ flags: '--hooks', summary: 'list all places where hooks may be', kind: 'boolean' }],
  example: 'transformer inspect example:organism',
  run: async (context, { arguments: [path], options }) => {
    const folder = checkpointFolder(path!);
    const { fields } = configOf(folder);
    const isT5 = fields.text('model_type', '') === 't5';
    const files = openCheckpoint(folder);
    try {
      const model = isT5 ? null : readModelConfig(folder);
      const t5 = isT5 ? readT5(fields) : null;
      const names = model === null ? matchT5(t5!, files) : matchWeights(weightList(model), files);
      // Files may hold more, such as a tower for pictures.
      const checkpoint = ownWeights(files, names);
      const architecture = model?.architecture ?? t5!;
      const types = [...new Set([...checkpoint.weights.values()].map(({ dtype }) => dtype))];
      const hooks: readonly ListedPlace[] =
        model === null ? t5HookNames({ architecture: t5! }) : decoderPlaces(model);
      const { sizeBytes, parameterCount: parameters } = checkpoint;
      context.printJson({
        status: 'success',
        folder,
        parameters,
        sizeBytes,
        types,
        architecture,
        hooks,
      });
      context.print(`${folder}\n`);
      const sizes = `${formatCount(parameters)} in ${types.join(', ')}, ${formatBytes(sizeBytes)}`;
      context.print(`${'parameters'.padEnd(14)} ${sizes}\n`);
      const count = formatCount(checkpoint.weights.size);
      context.print(`${'weights'.padEnd(14)} ${count}, all that its config asks for\n`);
      context.print(model === null ? t5Summary(t5!) : summary(model.architecture));
      if (options['hooks'] !== true) return;
      for (const { name, shape, aliases = [], optional = false } of hooks) {
        const others = aliases.length === 0 ? '' : `  ${aliases.join(', ')}`;
        const mark = optional ? '  (optional)' : '';
        context.print(`${name}  [${shape.join(', ')}]${mark}${others}\n`);
      }
    } finally {
      files.close();
    }
  },
};

interface ListedPlace extends T5HookPlace {
  readonly aliases?: readonly string[];
  /** Whether it is there for those alone who name it. */
  readonly optional?: boolean;
}

const decoderPlaces = (model: { readonly architecture: Architecture }): ListedPlace[] =>
  hookNames(model, { optional: true }).map((place) =>
    isOptional(place.name) ? Object.assign({}, place, { optional: true }) : place,
  );

function t5Summary(architecture: T5Architecture): string {
  const { encoderLayerCount, decoderLayerCount, headCount, headWidth } = architecture;
  const lines = [
    ['family', architecture.modelType],
    ['blocks', `${encoderLayerCount} of the encoder, ${decoderLayerCount} of the decoder`],
    ['width', `${architecture.width}, MLP ${architecture.mlpWidth}`],
    ['heads', `${headCount}, ${headWidth} wide`],
    ['vocabulary', formatCount(architecture.vocabularySize)],
  ];
  return lines.map(([name, value]) => `${name!.padEnd(14)} ${value}\n`).join('');
}

function positionsOf({ positions, contextTokens }: Architecture): string {
  const count = contextTokens === null ? '' : `, for ${formatCount(contextTokens)} tokens`;
  return `${positions.kind}${count}`;
}

function summary(architecture: Architecture): string {
  const { layerCount, headCount, keyValueHeadCount, headWidth, blocks } = architecture;
  const windows = blocks.filter(({ window }) => window !== null).length;
  const lines = [
    ['family', architecture.modelType],
    ['blocks', `${layerCount}${windows === 0 ? '' : `, ${windows} with a window`}`],
    ['width', `${architecture.width}, MLP ${architecture.mlpWidth}`],
    ['heads', `${headCount}, ${headWidth} wide; keys and values ${keyValueHeadCount}`],
    ['vocabulary', formatCount(architecture.vocabularySize)],
    ['positions', positionsOf(architecture)],
  ];
  return lines.map(([name, value]) => `${name!.padEnd(14)} ${value}\n`).join('');
}
