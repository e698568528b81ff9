import { expectTypeOf, test } from 'vitest';
import type { modalContrast, selectBackend, tf, valueAndGradients } from '../src/index.js';
import {
  type CsrTensors,
  createCsr,
  csrMatMul,
  gatherRows,
  gelu,
  halfMatMul,
  type HalfMatrix,
  infoNce,
  rmsNorm,
  scaledDotProductAttention,
  scope,
  softmax,
} from '../src/index.js';
import { decodePickle, readSafetensors } from '../src/io.js';

test('operations on rows keep the rank of what they get', () => {
  expectTypeOf(softmax<tf.Tensor3D>).returns.toEqualTypeOf<tf.Tensor3D>();
  expectTypeOf(gelu<tf.Tensor2D>).returns.toEqualTypeOf<tf.Tensor2D>();
  expectTypeOf(rmsNorm<tf.Tensor3D>).returns.toEqualTypeOf<tf.Tensor3D>();
  expectTypeOf(scaledDotProductAttention<tf.Tensor4D>).returns.toEqualTypeOf<tf.Tensor4D>();
});

test('losses are scalars', () => {
  expectTypeOf(infoNce).returns.toEqualTypeOf<tf.Scalar>();
  expectTypeOf<ReturnType<typeof modalContrast>['total']>().toEqualTypeOf<tf.Scalar>();
  expectTypeOf<ReturnType<typeof valueAndGradients>['value']>().toExtend<tf.Scalar>();
});

test('sparse and 16-bit matrices are kinds of their own', () => {
  expectTypeOf(createCsr).returns.toEqualTypeOf<CsrTensors>();
  expectTypeOf(csrMatMul).parameter(0).toEqualTypeOf<CsrTensors>();
  expectTypeOf<tf.Tensor2D>().not.toExtend<HalfMatrix>();
  expectTypeOf(halfMatMul).parameter(1).toEqualTypeOf<HalfMatrix>();
});

test('indices are a tensor, and a scope gives back what its body does', () => {
  expectTypeOf(gatherRows).parameter(1).toExtend<tf.Tensor>();
  expectTypeOf(() => scope(async () => 'text')).returns.resolves.toEqualTypeOf<string>();
});

test('a backend is one of six names', () => {
  expectTypeOf<'wasm'>().toExtend<Parameters<typeof selectBackend>[0]>();
  expectTypeOf<'webgl'>().not.toExtend<Parameters<typeof selectBackend>[0]>();
});

test('what a file holds is only known when it is looked at', () => {
  expectTypeOf(decodePickle).returns.resolves.not.toBeAny();
  expectTypeOf(readSafetensors).returns.resolves.not.toBeAny();
});
