/**
 * Which weights a model has, with their shapes, and whether a checkpoint has just those.
 */
import { ModelError } from '@lab/core';
import type { FamilyModel } from '../families/family.js';
import type { Checkpoint } from './checkpoint.js';

/** Prefix of the names of a block. */
export const blockPrefix = ({ weights }: FamilyModel, block: number): string =>
  weights.block.replace('{i}', String(block));

/** Shape of every weight, by its name; matrices `[out, in]`, or `[in, out]` where stored so. */
function expectedWeights(model: FamilyModel): Map<string, readonly number[]> {
  const { architecture, weights } = model;
  const { width, vocabularySize, layerCount, positions } = architecture;
  const shapes = new Map<string, readonly number[]>();
  shapes.set(`${weights.embedding}.weight`, [vocabularySize, width]);
  if (weights.positions !== null && positions.kind === 'learned') {
    shapes.set(`${weights.positions}.weight`, [positions.count, width]);
  }
  for (let block = 0; block < layerCount; block += 1) addBlock(shapes, model, block);
  addNorm(shapes, model, weights.finalNorm, width);
  if (!architecture.isTied) {
    shapes.set(`${weights.output}.weight`, [vocabularySize, width]);
  }
  return shapes;
}

type Shapes = Map<string, readonly number[]>;

function addNorm(shapes: Shapes, { architecture }: FamilyModel, name: string, width: number) {
  shapes.set(`${name}.weight`, [width]);
  if (architecture.norm.kind === 'layer') shapes.set(`${name}.bias`, [width]);
}

function addBlock(shapes: Shapes, model: FamilyModel, block: number): void {
  const { architecture, weights } = model;
  const { width, headWidth, headCount, keyValueHeadCount, mlpWidth, isGated } = architecture;
  const { names, biases, isInputMajor } = weights;
  const prefix = blockPrefix(model, block);
  const linear = (name: string, size: readonly [number, number], hasBias: boolean) => {
    const [outputs, inputs] = size;
    shapes.set(`${prefix}${name}.weight`, isInputMajor ? [inputs, outputs] : [outputs, inputs]);
    if (hasBias) shapes.set(`${prefix}${name}.bias`, [outputs]);
  };
  for (const name of [names.norm1, names.norm2, names.postNorm1, names.postNorm2]) {
    if (name !== null) addNorm(shapes, model, `${prefix}${name}`, width);
  }
  for (const name of [names.queryNorm, names.keyNorm]) {
    if (name !== null) shapes.set(`${prefix}${name}.weight`, [headWidth]);
  }
  const [own, shared] = [headCount * headWidth, keyValueHeadCount * headWidth];
  const { queryKeyValue: parts, gateUp } = names;
  if ('fused' in parts) linear(parts.fused, [own + 2 * shared, width], biases.queryKeyValue);
  else {
    linear(parts.query, [own, width], biases.queryKeyValue);
    linear(parts.key, [shared, width], biases.queryKeyValue);
    linear(parts.value, [shared, width], biases.queryKeyValue);
  }
  linear(names.output, [width, own], biases.attentionOutput);
  if ('fused' in gateUp) linear(gateUp.fused, [2 * mlpWidth, width], biases.mlp);
  else {
    if (isGated && gateUp.gate !== null) linear(gateUp.gate, [mlpWidth, width], biases.mlp);
    linear(gateUp.up, [mlpWidth, width], biases.mlp);
  }
  linear(names.down, [width, mlpWidth], biases.mlp);
}

/** Weights that a checkpoint is to have. */
export interface WeightList {
  /** Shapes by name. */
  readonly expected: ReadonlyMap<string, readonly number[]>;
  /** Those of weights that a file may have or not. */
  readonly optional: ReadonlyMap<string, readonly number[]>;
  /** Names that may be there, too. */
  readonly ignored: RegExp | null;
  /** First part of names that some files leave out. */
  readonly optionalPrefix: string | null;
  /** Other names that some files have. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** Whether they stand within a model for pictures and texts; default false. */
  readonly isWrapped?: boolean | undefined;
}

/** The weights of a decoder. */
export function weightList(model: FamilyModel): WeightList {
  const { output, outputAlias, ignored, optionalPrefix, isWrapped } = model.weights;
  const { isTied, vocabularySize, width } = model.architecture;
  return {
    expected: expectedWeights(model),
    // A file may have an output that its config calls tied.
    optional: new Map(isTied ? [[`${output}.weight`, [vocabularySize, width]]] : []),
    ignored,
    optionalPrefix,
    aliases: new Map(outputAlias ? [[`${output}.weight`, `${outputAlias}.weight`]] : []),
    isWrapped,
  };
}

/**
 * A checkpoint with the weights of a model alone: files may hold others, such as a tower for
 * pictures, or masks that are no weights.
 *
 * @param names - in the files, of each weight.
 */
export function ownWeights(checkpoint: Checkpoint, names: ReadonlyMap<string, string>): Checkpoint {
  const used = new Set(names.values());
  const weights = new Map([...checkpoint.weights].filter(([name]) => used.has(name)));
  let [parameterCount, sizeBytes] = [0, 0];
  for (const weight of weights.values()) {
    parameterCount += weight.shape.reduce((product, size) => product * size, 1);
    sizeBytes += weight.sizeBytes;
  }
  return { ...checkpoint, weights, parameterCount, sizeBytes };
}

/**
 * Names in a checkpoint of the weights of a model: some files leave out the first part.
 *
 * @throws {ModelError} that lists what is missing, of another shape, and not known.
 */
export function matchWeights(
  { expected, optional, ignored, optionalPrefix: prefix, aliases, isWrapped = false }: WeightList,
  { folder, weights: found }: Pick<Checkpoint, 'folder' | 'weights'>,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const [missing, misshapen]: string[][] = [[], []];
  const used = new Set<string>();
  for (const [name, shape] of [...expected, ...optional]) {
    const short = prefix !== null && name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const within = isWrapped ? [`language_model.${name}`, `model.language_model.${short}`] : [];
    const own = [name, short, aliases?.get(name) ?? name, ...within].find((one) => found.has(one));
    const weight = own === undefined ? undefined : found.get(own);
    if (own !== undefined) used.add(own);
    if (own === undefined || weight === undefined) {
      if (!optional.has(name)) missing!.push(name);
    } else if (weight.shape.join() !== shape.join()) {
      misshapen!.push(`${name} [${weight.shape.join(', ')}], not [${shape.join(', ')}]`);
    } else names.set(name, own);
  }
  // Of a model for pictures and texts only the language part is of interest.
  const isOther = (name: string) => isWrapped && !/(^|\.)(language_model|lm_head)\./.test(name);
  const unexpected = [...found.keys()].filter(
    (name) => !used.has(name) && !(ignored?.test(name) ?? false) && !isOther(name),
  );
  if (missing!.length + misshapen!.length === 0 && unexpected.length === 0) return names;
  const listed = (what: string, all: readonly string[]) =>
    all.length === 0
      ? []
      : [`${all.length} ${what}: ${all.slice(0, 5).join('; ')}${all.length > 5 ? ' ...' : ''}`];
  const problems = [
    ...listed('missing', missing!),
    ...listed('of another shape', misshapen!),
    ...listed('not known', unexpected),
  ];
  throw new ModelError(`${folder}: weights do not fit config.json: ${problems.join('; ')}.`, {
    help: 'Take config.json and weights of the same checkpoint.',
  });
}
