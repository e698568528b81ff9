/** `transformer cache`: values from inside a model, as a safetensors file. */
import { ConfigError, formatBytes, formatCounted } from '@lab/core';
import type { CliCommand } from '@lab/core/cli';
import { writeSafetensors, type WritableArray } from '@lab/tensor/io';
import { hookNames } from '../hook-names.js';
import { loadModel } from '../load-model.js';
import { readIdFile } from './id-file.js';
import { backendOption, chosenBackend, modelArgument, requiredOption } from './model-options.js';

/** The verb `cache`. */
export const cacheCommand: CliCommand = {
  name: 'cache',
  summary: 'Write the values at any places inside a model.',
  arguments: [modelArgument],
  options: [
    {
      flags: '--names <list>',
      summary: 'places, as inspect --hooks lists them; * stands for any characters',
      kind: 'list',
    },
    { flags: '--ids <file>', summary: 'JSON { "ids": [[..]], "mask": [[..]] }' },
    { flags: '-o, --out <file>', summary: 'safetensors file with an array for each place' },
    backendOption,
  ],
  example:
    "transformer cache MODEL --names 'blocks.*.attn.hook_z' --ids ids.json --out z.safetensors",
  run: async (context, input) => {
    const [ids, out] = ['ids', 'out'].map((name) => requiredOption('cache', input, name));
    const { decoderIds: _, ...given } = readIdFile(ids!);
    const asked = (input.options['names'] ?? []) as string[];
    await chosenBackend(context, input);
    context.progress.update('reading the weights');
    const model = await loadModel(input.arguments[0]!);
    try {
      const places = matching(
        asked,
        hookNames(model).map(({ name }) => name),
      );
      context.progress.update('computing');
      const result = await model.forward({ ...given, capture: (name) => places.has(name) });
      result.dispose();
      context.progress.done();
      const arrays: Record<string, WritableArray> = Object.fromEntries(result.captured);
      await writeSafetensors(out!, arrays);
      const sizeBytes = Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
      context.printJson({ status: 'success', out, names: Object.keys(arrays) });
      context.print(`${out}: ${formatCounted(places.size, 'array')}, ${formatBytes(sizeBytes)}\n`);
    } finally {
      model.dispose();
    }
  },
};

/** Names that any pattern means. */
function matching(patterns: readonly string[], names: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    const own = names.filter((name) => new RegExp(`^${source}$`).test(name));
    if (own.length === 0) {
      throw new ConfigError(`transformer/cache: no place is called ${pattern}.`, {
        help: 'transformer inspect MODEL --hooks lists all.',
      });
    }
    for (const name of own) found.add(name);
  }
  if (found.size > 0) return found;
  throw new ConfigError('transformer/cache: --names is missing.', {
    help: "For example --names 'blocks.*.hook_resid_post'; inspect --hooks lists all.",
  });
}
