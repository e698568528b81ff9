export {
  type AddedEntities,
  type AddedFiles,
  type ExtendedData,
  readAddedEntities,
} from './added-entities.js';
export { type LinkSplit, type SplitOptions, sortByDigest, splitLinks } from './alignment.js';
export { type AlignmentFolderOptions, readAlignmentFolder } from './alignment-folder.js';
export {
  addImageNoise,
  type Corruption,
  dropImages,
  dropTriples,
  flipAttributes,
  flipFeatures,
  noiseImages,
  swapAttributeRows,
  swapFeatureRows,
  swapImages,
} from './corrupt.js';
export { countMatrix, neighbourGraph, type SparseEntries } from './csr.js';
export {
  type CompactCsr,
  compactColumns,
  csrRange,
  csrRows,
  type DistinctRows,
  distinctRows,
  renumber,
} from './csr-rows.js';
export { type SyntheticPairOptions, syntheticPair } from './datasets/synthetic-pair.js';
export {
  attributeFeatures,
  type ColumnSource,
  type FeatureOptions,
  type FeatureScaling,
  inverseFrequency,
  relationFeatures,
  scaleFeatures,
} from './features.js';
export {
  fromGraphology,
  type GraphologyPair,
  type GraphologySource,
  type GraphologyTarget,
  type ToGraphologyOptions,
  toGraphology,
} from './graphology.js';
export { type ImageFeatures, type ImageFill, imageFeatures } from './images.js';
export {
  type AlignmentData,
  type AlignmentSummary,
  type AttributeBags,
  type ImageVectors,
  summarizeAlignment,
  type TripleArrays,
  tripleDegrees,
} from './knowledge-graph.js';
export { normalizeRowsInPlace } from './label-propagation.js';
export {
  type AttentionOptions,
  type DiagonalAttentionWeights,
  diagonalAttention,
  type FullAttentionHead,
  fullAttention,
} from './layers/gat.js';
export { graphConvolution } from './layers/gcn.js';
export { instanceNorm } from './layers/instance-norm.js';
export {
  createReflectionPattern,
  type ReflectionInput,
  type ReflectionPattern,
  reflectionAttention,
  reflectionWeights,
  relationVectors,
} from './layers/reflection.js';
export {
  type CandidateMatrix,
  greedyOneToOne,
  type Matching,
  mutualPairs,
  type SinkhornOptions,
  sinkhorn,
} from './matching.js';
export { type NameCount, nameCountText } from './name-counts.js';
export { eachStatement, type Statement } from './n-triples.js';
export {
  type Neighbourhood,
  type NeighbourhoodLayer,
  type NeighbourhoodOptions,
  neighbourhood,
} from './neighbourhood.js';
export { type AdjacencyScaling, normalizeAdjacency } from './normalize.js';
export { type OwnGraphFiles, readOwnGraphs } from './own-graphs.js';
export {
  type BlockCost,
  type BlockLimit,
  type Blocks,
  type CsrBlock,
  csrBlocks,
  cutRows,
  type PairBlock,
  pairBlocks,
  type RowRange,
} from './pair-blocks.js';
export { type PropagationOptions, propagateSeeds, type SeedPropagation } from './propagation.js';
export {
  createPseudoSeeds,
  type PseudoSeedOptions,
  type PseudoSeedSchedule,
  type PseudoSeedState,
  type PseudoSeedStep,
  type PseudoSeeds,
  searchMutualPairs,
} from './pseudo-seeds.js';
export { type RelationPairs, relationPairs } from './relation-pairs.js';
export { automaticSeeds, readSeeds, writeSeeds } from './seed-file.js';
export { type WriteFolderOptions, writeAlignmentFolder } from './write-alignment-folder.js';
