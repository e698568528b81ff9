export {
  type BackendChoice,
  type BackendReport,
  selectBackend,
  selectedBackend,
} from './backend.js';
export { type KernelUse, kernelReport, resetKernelReport } from './kernel-report.js';
export { type IclOptions, iclLoss } from './losses/icl.js';
export { type InfoNceOptions, infoNce, type SoftLabels } from './losses/info-nce.js';
export {
  type LinearCrossEntropy,
  linearCrossEntropy,
  type LinearCrossEntropyOptions,
} from './losses/linear-cross-entropy.js';
export {
  type ModalContrast,
  type ModalContrastOptions,
  type ModalRows,
  modalContrast,
} from './losses/modal-contrast.js';
export { type MultiSimilarityOptions, multiSimilarity } from './losses/multi-similarity.js';
export type { PairedRows } from './losses/pair-problem.js';
export { machineMemoryBytes } from './machine-memory.js';
export { type MemoryReport, memoryReport, resetAllocationRecord } from './memory.js';
export {
  normal,
  ones,
  torchLinear,
  torchLinearBias,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from './nn/init.js';
export { linear } from './nn/linear.js';
export {
  createParameters,
  type LoadableArray,
  type ParameterArray,
  type Parameters,
} from './nn/parameters.js';
export { gelu, type GeluOptions, silu } from './ops/activations.js';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.js';
export {
  appendKeyValues,
  cachedAttention,
  type CachedAttentionOptions,
  type CacheSpan,
} from './ops/cached-attention.js';
export { dropout, maskedDropout } from './ops/dropout.js';
export { type GaussianKlOptions, gaussianKl, type SquashedDeviation } from './ops/gaussian-kl.js';
export { gatherRows } from './ops/gather.js';
export { type GraphAttentionInput, graphAttention } from './ops/graph-attention.js';
export {
  createHalfMatrix,
  halfMatMul,
  halfRows,
  keepsHalf,
  type HalfDtype,
  type HalfMatrix,
  type HalfMatrixOptions,
  readHalfMatrix,
} from './ops/half.js';
export { type HostMatrix, hostMatMul, writeColumns } from './ops/host-matrix.js';
export {
  createKeyValueCache,
  type KeyValueCache,
  type KeyValueCacheOptions,
} from './ops/key-value-cache.js';
export { layerNorm } from './ops/layer-norm.js';
export { type NoiseOptions, noiseRows } from './ops/noise.js';
export { l2NormalizeRows } from './ops/normalize.js';
export { type PrincipalSubspaceOptions, principalSubspace } from './ops/principal-subspace.js';
export { recompute } from './ops/recompute.js';
export { rmsNorm } from './ops/rms-norm.js';
export { rotaryEmbedding, type RotaryOptions } from './ops/rotary.js';
export { type RowBlockOptions, sumOverRowBlocks } from './ops/row-blocks.js';
export { csrSampledProduct } from './ops/sampled-product.js';
export { segmentMax, segmentMean, segmentSoftmax, segmentSum } from './ops/segment.js';
export {
  mutualNearest,
  type NearestBothWays,
  nearestBothWays,
  type NearestPairs,
  type NearestPairsOptions,
  nearestPairs,
  type PairRanks,
  type RankPairsOptions,
  rankPairs,
  type Rows,
  type SimilaritySides,
} from './ops/similarity.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { type CsrArrays, type CsrTensors, createCsr, csrMatMul } from './ops/sparse.js';
export {
  type AdamW,
  type AdamWOptions,
  type AdamWStateArray,
  createAdamW,
} from './optim/adamw.js';
export { clipByGlobalNorm, type ClippedGradients } from './optim/clip.js';
export {
  eachValueAndGradients,
  type ValueAndGradients,
  valueAndGradients,
} from './optim/gradients.js';
export { createHostAdamW, type HostAdamW } from './optim/host-adamw.js';
export { HostRows } from './optim/host-rows.js';
export {
  type HostTableParts,
  openHostTable,
  readHostTable,
  writeHostTable,
} from './optim/host-table-files.js';
export { type PullBack, pullBack } from './optim/pull-back.js';
export { warmupCosine } from './optim/schedule.js';
export { scope } from './scope.js';
export { assertShape } from './shape.js';
export { tf } from './tfjs.js';
