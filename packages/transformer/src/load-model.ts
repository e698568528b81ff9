/**
 * A checkpoint on disk to a model on the backend.
 */
import { totalmem } from 'node:os';
import { selectBackend, selectedBackend, tf } from '@lab/tensor';
import type { FamilyModel } from './families/family.js';
import { type AroundBlocks, Model } from './model.js';
import { readModelConfig } from './model-config.js';
import { WeightReader } from './weights/block-weights.js';
import { type Checkpoint, checkpointFolder, openCheckpoint } from './weights/checkpoint.js';
import { matchWeights, weightList } from './weights/expected-weights.js';

/** How a model is loaded. */
export interface LoadModelOptions {
  /**
   * `resident`: all weights stay on the backend; `streamed`: those of a block are read when it runs
   * and freed before the next. Default `auto`: resident where they take at most `budgetBytes`.
   */
  readonly residency?: 'auto' | 'resident' | 'streamed' | undefined;
  /**
   * Bytes that weights may take on the backend; default 0.7 of what it, or else the machine, has.
   */
  readonly budgetBytes?: number | undefined;
}

/**
 * Loads a checkpoint of a language model, onto the backend in use; without one onto the first that
 * works here.
 *
 * @param path - folder with config.json and safetensors files, or of the local Hugging Face cache.
 * @throws {ModelError} for a family, field or weights that do not fit, saying which.
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
  const folder = checkpointFolder(path);
  if (selectedBackend() === null) await selectBackend();
  const family = readModelConfig(folder);
  const checkpoint = openCheckpoint(folder);
  const made: tf.Tensor[] = [];
  try {
    const names = matchWeights(weightList(family), checkpoint);
    const reader = new WeightReader(family, checkpoint, names);
    const around = await readAround(family, reader, { made, checkpoint });
    const residency = chosenResidency(checkpoint, options);
    const model = new Model({ family, checkpoint, reader, around, residency });
    await model.readAll();
    return model;
  } catch (error) {
    tf.dispose(made);
    checkpoint.close();
    throw error;
  }
}

/** Where weights stay: on the backend each number takes four bytes. */
function chosenResidency(
  { parameterCount }: Checkpoint,
  { residency = 'auto', budgetBytes }: LoadModelOptions,
): 'resident' | 'streamed' {
  if (residency !== 'auto') return residency;
  const has = selectedBackend()?.memoryLimitBytes ?? totalmem();
  return 4 * parameterCount <= (budgetBytes ?? 0.7 * has) ? 'resident' : 'streamed';
}

async function readAround(
  { architecture, weights }: FamilyModel,
  reader: WeightReader,
  { made, checkpoint }: { readonly made: tf.Tensor[]; readonly checkpoint: Checkpoint },
): Promise<AroundBlocks> {
  const { vocabularySize, width, positions, isTied } = architecture;
  const matrix = async (name: string, rows: number) => {
    const tensor = tf.tensor2d(await reader.read(`${name}.weight`), [rows, width]);
    made.push(tensor);
    return tensor;
  };
  const embedding = await matrix(weights.embedding, vocabularySize);
  // A file that says that the output is tied, and holds another one, has its own.
  const ownOutput = async () => {
    const name = `${weights.output}.weight`;
    if (!checkpoint.weights.has(name)) return null;
    const [own, tied] = [await checkpoint.read(name), await embedding.data()];
    if (own.every((value, at) => value === tied[at])) return null;
    const tensor = tf.tensor2d(own, [vocabularySize, width]);
    made.push(tensor);
    return tensor;
  };
  const norm = await reader.finalNorm();
  made.push(norm.gain, ...(norm.bias === null ? [] : [norm.bias]));
  return {
    embedding,
    positions:
      weights.positions !== null && positions.kind === 'learned'
        ? await matrix(weights.positions, positions.count)
        : null,
    norm,
    output: isTied ? await ownOutput() : await matrix(weights.output, vocabularySize),
  };
}
