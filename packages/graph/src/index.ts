export {
  type LinkSplit,
  type SplitOptions,
  sortByDigest,
  splitLinks,
} from './alignment.js';
export { type AlignmentFolderOptions, readAlignmentFolder } from './alignment-folder.js';
export { countMatrix, neighbourGraph, type SparseEntries } from './csr.js';
export {
  attributeFeatures,
  type FeatureOptions,
  type FeatureScaling,
  inverseFrequency,
  relationFeatures,
  scaleFeatures,
} from './features.js';
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
export { automaticSeeds, readSeeds, writeSeeds } from './seed-file.js';
