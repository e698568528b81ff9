/** `transformer validate`: whether what is inside a model fits together, on this backend. */
import type { CliCommand } from '@lab/core/cli';
import { exitCodeOf, ModelError } from '@lab/core';
import { loadModel } from '../load-model.js';
import { placeText } from '../model-check.js';
import { modelTypeOf } from '../model-config.js';
import { loadT5 } from '../t5/load-t5.js';
import { validateT5 } from '../t5/validate-t5.js';
import { validateModel } from '../validate-model.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import type { LoadModelOptions } from '../weights/residency.js';
import {
  backendOption,
  chosenBackend,
  modelArgument,
  residencyOf,
  residencyOptions,
} from './model-options.js';

/** The verb `validate`. */
export const validateCommand: CliCommand = {
  name: 'validate',
  summary: 'Check that what is inside a model fits together, on this backend.',
  arguments: [modelArgument],
  options: [...residencyOptions, backendOption],
  example: 'transformer validate example:organism',
  run: async (context, input) => {
    const folder = checkpointFolder(input.arguments[0]!);
    const options = residencyOf('validate', input);
    await chosenBackend(context, input);
    context.progress.update('reading the weights');
    const { model, run } = await loaded(folder, { ...options, validate: 'off' });
    try {
      context.progress.update('computing');
      const checks = await run();
      context.progress.done();
      const passed = checks.every((check) => check.passed);
      context.printJson({ status: passed ? 'success' : 'error', checks });
      for (const one of checks) {
        const { name, difference, limit } = one;
        const verdict = one.passed ? 'ok' : `FAILED, at most ${limit}${placeText(one)}`;
        context.print(
          `${name.padEnd(40)} ${difference.toExponential(1).padStart(8)}  ${verdict}\n`,
        );
      }
      return passed ? 0 : exitCodeOf(new ModelError('a check failed'));
    } finally {
      model.dispose();
    }
  },
};

/** A model of either kind, and its checks. */
async function loaded(folder: string, options: LoadModelOptions) {
  if (modelTypeOf(folder) === 't5') {
    const model = await loadT5(folder, options);
    return { model, run: () => validateT5(model) };
  }
  const model = await loadModel(folder, options);
  return { model, run: () => validateModel(model) };
}
