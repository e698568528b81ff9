/**
 * The parts of any model from its files: small weights, blocks, vocabulary, each where it is to be.
 */
import { ModelError } from '@lab/core';
import { readVocabulary, residentVocabulary, type Vocabulary } from '../vocabulary.js';
import type { VocabularyRules } from '../vocabulary.js';
import { BlockSource } from './block-source.js';
import { WeightReader } from './block-weights.js';
import { type Checkpoint, heldCheckpoint } from './checkpoint.js';
import { disposeWeights, type OnBackend, onBackend } from './on-backend.js';
import type { Residency } from './residency.js';

/** Files, how their weights are called, and where these are to stay. */
export interface PlacedFiles {
  readonly files: Checkpoint;
  /** Name in the files of each weight. */
  readonly names: ReadonlyMap<string, string>;
  readonly residency: Residency;
}

/** How a kind of models reads its weights. */
export interface ModelReader<Block extends object, Around extends object> {
  /** Blocks. */
  readonly count: number;
  readonly vocabulary: VocabularyRules;
  readBlock(reader: WeightReader, index: number): Promise<Block>;
  /** Small weights outside of the blocks. */
  readAround(reader: WeightReader): Promise<Around>;
}

/** Parts of a model, ready to run. */
export interface PlacedParts<Block extends object, Around extends object> {
  readonly checkpoint: Checkpoint;
  readonly residency: Residency;
  readonly blocks: BlockSource<Block>;
  readonly vocabulary: Vocabulary;
  readonly around: OnBackend<Around>;
}

/** Reads what is to be on the backend; where that fails, nothing stays there. */
export async function placedParts<Block extends object, Around extends object>(
  { files, names, residency }: PlacedFiles,
  kind: ModelReader<Block, Around>,
): Promise<PlacedParts<Block, Around>> {
  const isResident = residency === 'resident';
  const checkpoint = residency === 'host' ? heldCheckpoint(files) : files;
  const reader = new WeightReader(checkpoint, names);
  const read = async (index: number) => {
    const own = new WeightReader(checkpoint, names);
    try {
      return await kind.readBlock(own, index);
    } catch (error) {
      own.giveUp();
      throw error;
    }
  };
  const blocks = new BlockSource({ count: kind.count, read }, isResident);
  const around = onBackend(await kind.readAround(reader));
  try {
    await blocks.readAll();
    const read = isResident ? residentVocabulary : readVocabulary;
    const vocabulary = await read(kind.vocabulary, reader);
    return { checkpoint, residency, blocks, vocabulary, around };
  } catch (error) {
    blocks.dispose();
    disposeWeights(around);
    throw error;
  }
}

const disposed = new WeakSet<PlacedParts<object, object>>();

/** @throws {ModelError} where weights are not there any more. */
export function assertHeld(parts: PlacedParts<object, object>): void {
  if (!disposed.has(parts)) return;
  throw new ModelError('transformer: this model has been disposed.', {
    help: 'Call dispose once nothing uses the model any more, or load it again.',
  });
}

/** Frees all weights and closes the files; a second time nothing is done. */
export function disposeParts(parts: PlacedParts<object, object>): void {
  if (disposed.has(parts)) return;
  disposed.add(parts);
  parts.blocks.dispose();
  parts.vocabulary.dispose();
  disposeWeights(parts.around);
  parts.checkpoint.close();
}
