/** `align --added`: pairs of entities that come after the training. */
import { ConfigError, formatCounted } from '@lab/core';
import type { CliContext, CliInput, CliOption } from '@lab/core/cli';
import { type AddedEntities, nameCountText, readAddedEntities } from '@lab/graph';
import { type ExtendedTraining, extendTraining } from '../added-entities.js';
import type { AlignmentMethod } from '../method.js';
import type { TrainingState } from '../training-state.js';
import { textOption } from './options.js';

/** The flags of added entities. */
export const addedOptions: readonly CliOption[] = [
  {
    flags: '--added <file>',
    summary: 'triples of new entities, aligned by the model of --run without training',
    topic: 'added entities',
  },
  {
    flags: '--side <name>',
    summary: 'the graph that they come to',
    topic: 'added entities',
    choices: ['source', 'target'],
    unit: 'default source',
  },
  { flags: '--added-attributes <file>', summary: 'their attributes', topic: 'added entities' },
];

/** Refuses flags of added entities where there are none, and added entities without a run. */
export function assertAdded(name: string, options: CliInput['options']): void {
  const flags = { side: '--side', addedAttributes: '--added-attributes' };
  const given = Object.entries(flags).filter(([key]) => options[key] !== undefined);
  if (options['added'] === undefined && given.length > 0) {
    const names = given.map(([, flag]) => flag).join(', ');
    throw new ConfigError(`${name} align: ${names} would do nothing without --added.`, {
      help: 'give the triples of the new entities: --added FILE',
    });
  }
  if (options['added'] !== undefined && options['run'] === undefined) {
    throw new ConfigError(`${name} align: --added needs a trained run.`, {
      help: `train first, then ${name} align --run RUN --added FILE`,
    });
  }
}

/** What was added, and the model that knows it; the caller disposes its state. */
export interface Addition extends ExtendedTraining {
  readonly found: AddedEntities;
  readonly side: 'source' | 'target';
}

/** The model of a run on its graphs with the entities that the flags name. */
export async function addEntities(
  method: AlignmentMethod,
  state: TrainingState,
  options: CliInput['options'],
): Promise<Addition> {
  const side = options['side'] === 'target' ? 'target' : 'source';
  const found = await readAddedEntities(state.task.data, {
    triples: textOption(options, 'added')!,
    attributes: textOption(options, 'addedAttributes'),
    side: side === 'target' ? 2 : 1,
    duplicateTriples: state.config.data.duplicateTriples,
  });
  return { ...(await extendTraining(method, state, found.data)), found, side };
}

/** What is said of added entities under `--json`. */
export function addedRecord({ found, isolated, side, state }: Addition): Record<string, unknown> {
  const { entityNames } = state.task.data;
  return {
    side,
    entities: found.added.length,
    triples: found.tripleCount,
    isolated: Array.from(isolated, (entity) => entityNames[entity]!),
    unknownRelations: found.unknownRelations,
    unknownAttributes: found.unknownAttributes,
  };
}

/** Remarks on what was left out. */
export function noteAdded(context: CliContext, { found, isolated, state }: Addition): void {
  const total = (counts: readonly { readonly count: number }[]) =>
    counts.reduce((sum, { count }) => sum + count, 0);
  const { unknownRelations, unknownAttributes } = found;
  if (unknownRelations.length > 0) {
    const triples = formatCounted(total(unknownRelations), 'triple');
    const names = nameCountText(unknownRelations);
    context.note(`note: ${triples} left out, of relations the run does not know: ${names}`);
  }
  if (unknownAttributes.length > 0) {
    const attributes = formatCounted(total(unknownAttributes), 'attribute');
    const names = nameCountText(unknownAttributes);
    context.note(`note: ${attributes} left out, of names the run does not know: ${names}`);
  }
  for (const modality of ['attribute', 'image'] as const) {
    if (!state.learner.modalities.includes(modality) || hasSome(found, modality)) continue;
    const help = modality === 'attribute' ? '; give them by --added-attributes' : '';
    context.note(`note: the run compares ${modality}s, the added entities have none${help}`);
  }
  if (isolated.length > 0) {
    const names = Array.from(isolated.slice(0, 3), (one) => state.task.data.entityNames[one]!);
    const more = isolated.length > 3 ? ', ...' : '';
    const what = formatCounted(isolated.length, 'added entity', 'added entities');
    context.note(`note: ${what} without a path to known ones: ${names.join(', ')}${more}`);
  }
}

/** Whether any added entity has attributes or an image. */
function hasSome({ added, data }: AddedEntities, modality: 'attribute' | 'image'): boolean {
  if (modality === 'image') {
    const withImage = new Set(data.images?.entities ?? []);
    return added.some((entity) => withImage.has(entity));
  }
  const pointers = data.attributes?.rowPointers;
  return pointers !== undefined && added.some((one) => pointers[one + 1]! > pointers[one]!);
}
