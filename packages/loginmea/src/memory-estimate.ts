/**
 * How much memory a training will need, said before it starts.
 */
import {
  type AlignmentTask,
  expectedEvidenceBytes,
  type MemoryExpectation,
  memoryExpectation,
  withEvidence,
} from '@lab/alignment';
import { selectedBackend } from '@lab/tensor';
import type { LoginmeaConfig } from './config.js';
import { modalities } from './modalities.js';

/**
 * Arrays `[N, D]` that a step holds at its peak beside parameters and moments: of the structure
 * encoder, of the joint one, of each modality, and of each layer of each encoder.
 */
const STEP_ARRAYS = { structure: 1.4, joint: 1, modality: 3.9, layer: 1.1 };
/** Numbers for each pair of neighbours: the graph itself, and in each layer of a step. */
const EDGE_NUMBERS = { graph: 22, layer: 4.8 };
/** Arrays of the final width: for each seed pair, and for each pair of the batch at hand. */
const PAIR_ARRAYS = { seed: 6.9, batch: 3, marginSeed: 11.5 };
/** Similarities: columns of a block of InfoNCE, and most that are kept for a second direction. */
const SIMILARITIES = { block: 250, kept: 48 * 2 ** 20 };
/** Of hard samples: arrays of the final width for each entity, arrays and size of a block. */
const HARD_SAMPLES = { entity: 2, arrays: 23, block: 2 ** 23 };
/** Arrays of the final width for each row that goes through the proxies. */
const PROXY_ARRAYS = { step: 3, encoding: 8 };
/** Gradients of the smaller parameters at the peak, as a share of them. */
const GRADIENT_SHARE = 0.8;
/** Of a ranking: most bytes of similarities that are kept, rows and columns of a block. */
const RANKING = { keptBytes: 192 * 2 ** 20, rows: 512, columns: 4096 };
/** Rows of a block of rows that are uploaded to be ranked. */
const UPLOADED_ROWS = 2048;
/** Bytes of code, tables and fragments that do not depend on the data. */
const BASE_BYTES = 6e6;

/** Numbers of a task that decide how much memory it needs. */
interface Sizes {
  readonly entities: number;
  /** Pairs of neighbours, at most. */
  readonly edges: number;
  readonly seeds: number;
  /** Pairs that are ranked among each other. */
  readonly ranked: number;
  /** D and, in units of it, the final width. */
  readonly size: number;
  readonly width: number;
  /** Encoders that pass vectors on, times layers. */
  readonly passes: number;
  readonly hasGraph: boolean;
  /** Columns of each modality that takes part. */
  readonly columns: readonly number[];
  /** Numbers of the dense features of an entity. */
  readonly dense: number;
}

/** Share of the backend's limit from which `auto` goes over to blocks. */
const BLOCKS_FROM = 0.7;
/** Of a step in blocks: arrays of the final width for each pair of a batch, and its own share. */
const BLOCK_STEP = { pair: 6, budget: 1.2 };

/** The memory that a training will need on the selected backend. */
export function expectedMemory(task: AlignmentTask, config: LoginmeaConfig): MemoryExpectation {
  const evidence = expectedEvidenceBytes(task, config, rowWidths(task, config));
  return withEvidence(trainingMemory(task, config), evidence);
}

/** Numbers of a row of each modality, and of the fused vectors. */
function rowWidths(task: AlignmentTask, config: LoginmeaConfig): number[] {
  const { hasGraph, columns, width, size } = sizesOf(task, config);
  const structure = hasGraph ? [(1 + config.model.layers) * size] : [];
  return [...columns.map(() => size), ...structure, width * size];
}

/** The same without what scores by evidence take. */
function trainingMemory(task: AlignmentTask, config: LoginmeaConfig): MemoryExpectation {
  if (layoutOf(task, config) === 'whole') {
    return memoryExpectation(estimateTensorBytes(task, config), 'kept');
  }
  const tensorBytes = estimateBlockBytes(task, config);
  const processBytes = process.memoryUsage().rss + tensorBytes + estimateHostBytes(task, config);
  return { ...memoryExpectation(tensorBytes, 'blocks'), processBytes };
}

/** What comes on top of the arrays that are counted: garbage, indices, records. */
const HOST_OVERHEAD = 1.15;

/**
 * Bytes of the host's memory that a training in blocks takes beside what the graphs take: the
 * table with gradient and moments, states and their gradients, and the rows that are searched.
 * Measured beside what `check` says: 2.07 GB for 1.9 of 100,000 SYNTHETIC entities a side at width
 * 100, 4.40 for 4.4 of 300,000.
 */
function estimateHostBytes(task: AlignmentTask, config: LoginmeaConfig): number {
  const sizes = sizesOf(task, config);
  const { entities, seeds, ranked, size, width, columns } = sizes;
  const { layers } = config.model;
  const table = tableCount(sizes);
  const states = ((4 * layers - 1) * entities + 4 * (columns.length + 2) * seeds) * size;
  const search = (2 * layers * entities + 2 * ranked * width) * size;
  return HOST_OVERHEAD * 4 * Math.max(4 * table + states, 3 * table + search);
}

/** Whether the whole graph is on the backend, or rows in blocks. */
export function layoutOf(task: AlignmentTask, config: LoginmeaConfig): 'whole' | 'blocks' {
  const { layout } = config.training;
  if (layout !== 'auto') return layout;
  const isWholeOnly = config.model.propagation === 'gcn' || config.loss.kind === 'hard-sample';
  const limit = selectedBackend()?.memoryLimitBytes ?? null;
  if (isWholeOnly || limit === null) return 'whole';
  return estimateTensorBytes(task, config) > BLOCKS_FROM * limit ? 'blocks' : 'whole';
}

/**
 * Bytes that the tensor backend will hold at the peak of a training in blocks: small parameters, a
 * block or the loss of a seed batch, or blocks of the test pairs while they are ranked.
 */
function estimateBlockBytes(task: AlignmentTask, config: LoginmeaConfig): number {
  const sizes = sizesOf(task, config);
  const { size, width, seeds, ranked } = sizes;
  const small = parameterCount(task, config, sizes) - tableCount(sizes);
  const batch = Math.min(config.training.batchSize, seeds);
  const loss = 4 * BLOCK_STEP.pair * batch * width * size;
  const block = BLOCK_STEP.budget * config.training.blockMegabytes * 1e6;
  const [rows, columns] = [UPLOADED_ROWS, RANKING.columns].map((most) => Math.min(most, ranked));
  const kept = Math.min(RANKING.keptBytes, 4 * ranked ** 2);
  const ranking = kept + 4 * (rows! * columns! + (rows! + columns!) * width * size);
  return BASE_BYTES + 4 * 4 * small + Math.max(block, loss, ranking);
}

/**
 * Bytes that the tensor backend will hold at the peak of a training, within about a fifth.
 *
 * Parameters with two moments and the inputs stay; on top comes the step, the encoding of all
 * entities, or the ranking of the test pairs, whichever is larger. The constants are fitted to the
 * peaks of 45 trainings on wasm (generated pairs of 1,000 to 6,000 entities a side, width 48 to
 * 300, with and without each part), which they meet within 10 %, those of the fusion `early-only`
 * within 22 %. With the published sizes: 239 MB measured on EN-FR 3K, where this says 243; 903 MB
 * on EN-FR 15K, where this says 1,045. There most entities share relations and attributes with
 * others, and what is computed of these once for all of them is not foreseen.
 */
export function estimateTensorBytes(task: AlignmentTask, config: LoginmeaConfig): number {
  const sizes = sizesOf(task, config);
  const parameters = parameterCount(task, config, sizes);
  const inputs = sizes.entities * sizes.dense + EDGE_NUMBERS.graph * sizes.edges;
  const numbers = Math.max(
    stepNumbers(sizes, config) + GRADIENT_SHARE * (parameters - tableCount(sizes)),
    encodingNumbers(sizes, config),
  );
  const peak = Math.max(4 * numbers, rankingBytes(sizes));
  return BASE_BYTES + 4 * (3 * parameters + inputs) + peak;
}

function sizesOf({ data, split }: AlignmentTask, config: LoginmeaConfig): Sizes {
  const { modalities: chosen, relationColumns, attributeColumns } = config.data;
  const { layers, size, fusion } = config.model;
  const counts = {
    image: data.images?.dimension ?? 0,
    relation: Math.min(relationColumns, data.relationIds.length),
    attribute: Math.min(attributeColumns, data.attributes?.names.length ?? 0),
  };
  const has = { image: data.images !== null, relation: true, attribute: data.attributes !== null };
  const present = modalities.filter((name) => chosen.includes(name) && has[name]);
  const hasGraph = chosen.includes('graph') || present.length === 0;
  const encoders = (hasGraph ? 1 : 0) + (present.length > 0 && fusion !== 'early-only' ? 1 : 0);
  const { enabled, candidates } = config.evaluation;
  const tested = candidates === 'all' ? data.entityCount / 2 : split.test.length / 2;
  return {
    entities: data.entityCount,
    edges: 2 * data.triples.heads.length,
    seeds: split.seeds.length / 2,
    ranked: enabled ? tested : 0,
    size,
    width: (hasGraph ? 1 : 0) + present.length + encoders * layers,
    passes: encoders * layers,
    hasGraph,
    columns: present.map((name) => counts[name]),
    dense: present.includes('image') ? counts.image : 0,
  };
}

/** Numbers of the entity table. */
const tableCount = ({ hasGraph, entities, size }: Sizes) => (hasGraph ? entities * size : 0);

/** Numbers of all parameters, without the smallest. */
function parameterCount({ data }: AlignmentTask, { model }: LoginmeaConfig, sizes: Sizes): number {
  const { size, columns, width, passes } = sizes;
  const { rank, fusion, propagation, proxies } = model;
  const count = columns.length;
  const encoders = columns.reduce((sum, features) => sum + features * size, 0);
  const relations = 2 * (data.relationIds.length + 1) * size;
  const fusions = {
    'low-rank': count * rank * (size + 1) * size,
    concatenation: count * size * size,
    sum: 0,
    'early-only': 0,
  };
  const passing = { gcn: passes * size * size, mean: 0, reflection: relations, gat: relations };
  const matching = proxies === 0 ? 0 : (proxies + width * size) * width * size;
  return tableCount(sizes) + encoders + fusions[fusion] + passing[propagation] + matching;
}

/** Numbers that a step holds at its peak, but the gradients of the smaller parameters. */
function stepNumbers(sizes: Sizes, config: LoginmeaConfig): number {
  const { entities, edges, size, passes, hasGraph, columns } = sizes;
  const arrays =
    (hasGraph ? STEP_ARRAYS.structure : 0) +
    (columns.length > 0 ? STEP_ARRAYS.joint : 0) +
    STEP_ARRAYS.modality * columns.length +
    STEP_ARRAYS.layer * passes;
  const graph = EDGE_NUMBERS.layer * edges * passes;
  return entities * size * arrays + graph + lossNumbers(sizes, config);
}

/** Numbers that the loss holds at the peak of a step: rows of the seeds, and similarities. */
function lossNumbers(sizes: Sizes, { loss, model, training }: LoginmeaConfig): number {
  const { entities, seeds, size, width } = sizes;
  const row = width * size;
  const batch = Math.min(training.batchSize, seeds);
  const matching = (rows: number) => (model.proxies > 0 ? PROXY_ARRAYS.step * rows * row : 0);
  if (loss.kind === 'hard-sample') {
    const block = Math.min(HARD_SAMPLES.block, batch * entities);
    const rows = HARD_SAMPLES.entity * entities * row;
    return rows + matching(entities) + HARD_SAMPLES.arrays * block;
  }
  if (loss.kind === 'margin') return PAIR_ARRAYS.marginSeed * seeds * row + matching(4 * seeds);
  const rows = (PAIR_ARRAYS.seed * seeds + PAIR_ARRAYS.batch * batch) * row;
  const kept = { 'left-to-right': 0, both: batch ** 2 }[loss.direction];
  const similarities = loss.kind === 'icl' ? 2 * batch ** 2 : kept;
  const block = SIMILARITIES.block * batch;
  return rows + matching(2 * seeds) + block + Math.min(SIMILARITIES.kept, similarities);
}

/** Numbers that the encoding of all entities holds at its peak. */
function encodingNumbers({ entities, size, width, columns }: Sizes, config: LoginmeaConfig) {
  const matching = config.model.proxies > 0 ? PROXY_ARRAYS.encoding * width : 0;
  return entities * size * (2 * width + 2 * columns.length + 2.4 + matching);
}

/** Bytes of all embeddings, of the rows that are ranked, and of their similarities. */
function rankingBytes({ entities, ranked, size, width }: Sizes): number {
  const rows = 4 * (entities + 2 * ranked) * width * size;
  const block = 4 * Math.min(RANKING.rows, ranked) * Math.min(RANKING.columns, ranked);
  return rows + Math.min(RANKING.keptBytes, 4 * ranked ** 2) + block;
}
