import { installActivations } from './activation.js';
import { installAttention } from './attention.js';
import { installArithmetic } from './arithmetic.js';
import { installCachedAttention } from './cached-attention.js';
import { registerFor } from './call.js';
import { installDropout } from './dropout.js';
import { installElementwise } from './elementwise.js';
import { installGaussianKl } from './gaussian-kl.js';
import { installGather } from './gather.js';
import { installGraphAttention } from './graph-attention.js';
import { installHalf } from './half.js';
import { installInPlace } from './in-place.js';
import { installMatMul } from './matmul.js';
import { installMove, installReshape } from './move.js';
import { installNoise } from './noise.js';
import { installReduce } from './reduce.js';
import { installRmsNorm } from './rms-norm.js';
import { installRotary } from './rotary.js';
import { installRowNorms } from './row-norms.js';
import { installSegment } from './segment.js';
import { installSoftmax } from './softmax.js';
import { installSparse } from './sparse.js';
import { installTopK } from './top-k.js';
import { installTranspose } from './transpose.js';

const installed = new Map<string, ReadonlySet<string> | null>();

/**
 * Registers our kernels for a backend, once; the stock ones must be registered already.
 *
 * @param only - the kernels to register, the stock ones in place of the others; default all.
 */
export function installKernels(
  backend: 'wasm' | 'tensorflow',
  only: ReadonlySet<string> | null = null,
): void {
  if (installed.get(backend) === only) return;
  installed.set(backend, only);
  registerFor({ backend, only }, () => {
    installAll();
    if (backend === 'tensorflow') installReshape();
  });
}

function installAll(): void {
  installMatMul();
  installArithmetic();
  installElementwise();
  installNoise();
  installReduce();
  installMove();
  installTranspose();
  installTopK();
  installHalf();
  installInPlace();
  installGather();
  installGaussianKl();
  installSegment();
  installSparse();
  installGraphAttention();
  installRowNorms();
  installDropout();
  installSoftmax();
  installActivations();
  installRmsNorm();
  installRotary();
  installAttention();
  installCachedAttention();
}
