/**
 * A Hugging Face checkpoint as a GGUF file.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { formatCounted, ModelError, writeStreamAtomic } from '@lab/core';
import { templateTexts } from '../chat-template.js';
import type { FamilyModel } from '../families/family.js';
import { classDefaults } from '../families/class-defaults.js';
import { configOf, ggufModel, readModelConfig } from '../model-config.js';
import { tokenizerFiles } from '../tokenizer.js';
import { outputName } from '../vocabulary.js';
import { WeightReader } from '../weights/block-weights.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { type Checkpoint, openCheckpoint } from '../weights/checkpoint.js';
import { matchWeights, weightList } from '../weights/expected-weights.js';
import { architectureDifferences } from './architecture-differences.js';
import { ggufArchitectures } from './architectures.js';
import { isGgufFile } from './gguf-file.js';
import { ggufTokenizer } from './gguf-tokenizer.js';
import type { MetadataValue } from './metadata-values.js';
import { architectureName, modelMetadata, text, u32 } from './metadata-of-model.js';
import { type NamedWeight, namedWeights } from './tensor-names.js';
import {
  type GgufType,
  rowTensor,
  typeOfTensor,
  type WeightSource,
  writableTensor,
} from './tensors-of-model.js';
import { tokenizerDifferences } from './tokenizer-differences.js';
import { tokenizerMetadata } from './tokenizer-metadata.js';
import { ggufParts, tensorBytes, type WritableTensor } from './write-gguf.js';

/** How {@link writeGguf} writes. */
export interface WriteGgufOptions {
  /** Type of matrices; default `f16`. Rows are float32 always. */
  readonly type?: GgufType | undefined;
  /** Whether the tokenizer is written, too; default where the folder has one. */
  readonly tokenizer?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
}

/** How far a file is written. */
export interface WriteProgress {
  readonly tensor: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What was written. */
export interface WrittenGguf {
  readonly file: string;
  readonly architecture: string;
  readonly tensorCount: number;
  readonly sizeBytes: number;
  readonly hasTokenizer: boolean;
  /** What a user should know: types of some tensors, what llama.cpp does otherwise. */
  readonly remarks: readonly string[];
}

/** `general.file_type` by what most matrices are. */
const fileTypes = { f32: 0, f16: 1, q8_0: 7, bf16: 32 } as const;

/**
 * Writes a checkpoint as GGUF (version 3) with the names that llama.cpp has, tensor by tensor; the
 * file is there when all of it is.
 *
 * @param path - folder with config.json and safetensors files.
 * @param file - an older one is replaced.
 * @throws {ModelError} for a model or tokenizer that GGUF cannot hold exactly, saying what of it.
 */
export async function writeGguf(
  path: string,
  file: string,
  { type = 'f16', tokenizer, signal, onProgress }: WriteGgufOptions = {},
): Promise<WrittenGguf> {
  const folder = checkpointFolder(path);
  if (isGgufFile(folder)) {
    throw new ModelError(`${folder}: is a GGUF file already.`, {
      help: 'Name the folder of a Hugging Face checkpoint, or write --to safetensors.',
    });
  }
  const checkpoint = openCheckpoint(folder);
  try {
    const plan = await planOf(folder, checkpoint, { type, tokenizer });
    const totalBytes = plan.tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    let doneBytes = 0;
    const tensors = plan.tensors.map((tensor) => ({
      ...tensor,
      async *parts() {
        for await (const part of tensor.parts()) {
          signal?.throwIfAborted();
          doneBytes += part.length;
          onProgress?.({ tensor: tensor.name, doneBytes, totalBytes });
          yield part;
        }
      },
    }));
    await writeStreamAtomic(file, ggufParts(plan.metadata, tensors));
    const { architecture, hasTokenizer, remarks } = plan;
    const tensorCount = tensors.length;
    return { file, architecture, tensorCount, sizeBytes: totalBytes, hasTokenizer, remarks };
  } finally {
    checkpoint.close();
  }
}

interface Plan extends Pick<WrittenGguf, 'architecture' | 'hasTokenizer' | 'remarks'> {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly WritableTensor[];
}

async function planOf(
  folder: string,
  checkpoint: Checkpoint,
  options: Pick<WriteGgufOptions, 'tokenizer'> & { readonly type: GgufType },
): Promise<Plan> {
  const model = await writtenModel(folder, checkpoint);
  const name = architectureName(model.architecture.modelType);
  if (name === undefined) {
    throw new ModelError(`${folder}: there is no GGUF of ${model.architecture.modelType} here.`, {
      help: `There is of ${Object.keys(ggufArchitectures).toSorted().join(', ')}.`,
    });
  }
  const names = matchWeights(weightList(model), checkpoint);
  const hasPairedRows = ggufArchitectures[name]!.hasPairedRows === true;
  const own = modelMetadata(model, name, positionsOf(folder));
  const source = { checkpoint, model, names, hasPairedRows };
  const { tensors, otherTypes } = tensorsOf(source, options.type);
  tensors.push(...[...own.factors].map(([tensor, row]) => rowTensor(tensor, row)));
  const hasTokenizer = options.tokenizer ?? existsSync(join(folder, 'tokenizer.json'));
  const isQuantised = tensors.some(({ type }) => type.blockLength > 1);
  const metadata = new Map<string, MetadataValue>([
    ['general.architecture', text(name)],
    ['general.type', text('model')],
    ['general.name', text(basename(resolve(folder)))],
    ['general.file_type', u32(fileTypes[options.type])],
    ...(isQuantised ? [['general.quantization_version', u32(2)] as const] : []),
    ...own.metadata,
    ...(hasTokenizer
      ? tokenizerEntries(folder, model.architecture.vocabularySize)
      : ([['tokenizer.ggml.model', text('no_vocab')]] as const)),
  ]);
  const content = { path: folder, metadata, tensors, factors: own.factors };
  assertSame(folder, model, content);
  const remarks = [...typeRemarks(otherTypes, options.type), ...windowRemarks(model, name)];
  return { architecture: name, metadata, tensors, hasTokenizer, remarks };
}

function typeRemarks(names: readonly string[], type: GgufType): string[] {
  if (names.length === 0) return [];
  const others = formatCounted(names.length, 'tensor');
  return [`${others} in F16: rows are no whole blocks of ${type} (${names[0]}).`];
}

function windowRemarks({ architecture }: FamilyModel, name: string): string[] {
  const window = name === 'llama' ? (architecture.blocks[0]?.window ?? null) : null;
  if (window === null) return [];
  return [`llama.cpp leaves out the window of ${window} tokens: longer texts give other numbers.`];
}

/** The model with an output of its own, where its files have other numbers for it. */
async function writtenModel(folder: string, checkpoint: Checkpoint): Promise<FamilyModel> {
  const model = readModelConfig(folder);
  const { architecture, weights } = model;
  const reader = new WeightReader(checkpoint, matchWeights(weightList(model), checkpoint));
  const output = await outputName({ ...architecture, ...weights }, reader);
  return { weights, architecture: { ...architecture, isTied: output === weights.embedding } };
}

/** `max_position_embeddings` of the config, or of its class where it says nothing. */
function positionsOf(folder: string): number {
  const { values } = configOf(folder);
  const inner = (values['text_config'] ?? {}) as Record<string, unknown>;
  const all = {
    ...classDefaults(inner['model_type'] ?? values['model_type']),
    ...values,
    ...inner,
  };
  const given = all['max_position_embeddings'] ?? all['n_positions'];
  return typeof given === 'number' ? given : 2048;
}

function tensorsOf(source: WeightSource, type: GgufType) {
  const tensors: WritableTensor[] = [];
  const otherTypes: string[] = [];
  for (const weight of namedWeights(source.model)) {
    // Of a tied model the output has the numbers of the embeddings.
    if (weight.isOptional) continue;
    const own = typeOfTensor(turnedShape(weight, source.model), type);
    if (weight.shape.length > 1 && own.name === 'F16' && type !== 'f16') {
      otherTypes.push(weight.ggufName);
    }
    tensors.push(writableTensor(source, weight, own));
  }
  return { tensors, otherTypes };
}

/** The shape in the file is what decides of the type. */
function turnedShape(weight: NamedWeight, { weights }: FamilyModel): NamedWeight {
  const isTurned =
    weights.isInputMajor && weight.shape.length === 2 && weight.ggufName.startsWith('blk.');
  return isTurned ? { ...weight, shape: weight.shape.toReversed() } : weight;
}

function tokenizerEntries(folder: string, vocabularySize: number) {
  const { content, config, file } = tokenizerFiles(folder);
  const templates = templateTexts({ folder, config });
  const metadata = tokenizerMetadata({ content, config, file, templates, vocabularySize });
  const empty = { path: file, tensors: new Map(), row: () => null };
  const read = ggufTokenizer({ ...empty, metadata });
  const differences = tokenizerDifferences(content, read.content);
  if (differences.length === 0) return metadata;
  throw new ModelError(
    `${file}: GGUF cannot hold this tokenizer exactly: ${differences.slice(0, 3).join('; ')}.`,
    { help: 'Write the file without a tokenizer: --no-tokenizer.' },
  );
}

interface WrittenContent {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly WritableTensor[];
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** Reads what is to be written: what is read must be what was there. */
function assertSame(folder: string, model: FamilyModel, content: WrittenContent): void {
  const { path, metadata, factors } = content;
  const tensors = new Map(content.tensors.map((tensor) => [tensor.name, tensor]));
  const rounded = (name: string) => factors.get(name)?.map((one) => Math.fround(one)) ?? null;
  const read = ggufModel({ path, metadata, tensors, row: rounded });
  const wanted = namedWeights(read).filter(({ isOptional }) => !isOptional);
  const lost = content.tensors.filter(
    ({ name }) => !factors.has(name) && !wanted.some(({ ggufName }) => ggufName === name),
  );
  const differences = [
    ...architectureDifferences(model.architecture, read.architecture),
    ...lost.map(({ name }) => `${name}, which no reader expects`),
  ];
  if (differences.length === 0) return;
  throw new ModelError(
    `${folder}: GGUF cannot hold this model exactly: ${differences.slice(0, 3).join('; ')}.`,
    { help: 'No file is written: programs that read it would compute something else.' },
  );
}
