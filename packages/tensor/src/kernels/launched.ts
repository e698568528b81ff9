import { derivativeKernel } from '../gradients/rule.js';
import { tf } from '../tfjs.js';

/**
 * The registered kernels all of whose C functions have a CUDA launcher: those that can run as an
 * operation of TensorFlow. Layer norm and its like are not among them: their gradients have none.
 */
export const LAUNCHED_KERNELS: ReadonlySet<string> = new Set([
  ...['LabCsrMatMul', 'LabCsrMatMulWeighted', 'LabCsrTranspose', 'LabCsrTransposeWeighted'],
  ...['LabCsrValueGradient', 'LabGatherRows', tf.UnsortedSegmentSum, 'LabSegmentSumGradient'],
  ...['LabSegmentMean', 'LabSegmentMeanGradient', 'LabSegmentMax', 'LabSegmentMaxGradient'],
  ...['LabSegmentSoftmax', 'LabSegmentSoftmaxGradient'],
  ...['LabGraphAttention', 'LabGraphAttentionWeighted', 'LabGraphAttentionGradient'],
  ...['LabNormalizeRows', 'LabNormalizeRowsGradient', 'LabDropout'],
  ...[tf.Softmax, derivativeKernel(tf.Softmax), 'LabLogSoftmax', 'LabLogSoftmaxGradient'],
]);
