import { MultiDirectedGraph } from 'graphology';
import { expectTypeOf, test } from 'vitest';
import type { CsrArrays } from '@lab/tensor';
import {
  type AlignmentData,
  attributeFeatures,
  fromGraphology,
  type GraphologySource,
  neighbourGraph,
  relationFeatures,
  type SplitOptions,
  toGraphology,
} from '../src/index.js';

test('features are the sparse arrays of the tensor package', () => {
  expectTypeOf(relationFeatures).returns.toEqualTypeOf<CsrArrays>();
  expectTypeOf(attributeFeatures).returns.toEqualTypeOf<CsrArrays | null>();
  expectTypeOf(neighbourGraph).returns.toEqualTypeOf<CsrArrays>();
});

test('graphs of graphology fit both ways', () => {
  expectTypeOf<MultiDirectedGraph>().toExtend<GraphologySource>();
  const write = (data: AlignmentData): MultiDirectedGraph =>
    toGraphology(data, new MultiDirectedGraph());
  expectTypeOf(write).returns.toEqualTypeOf<MultiDirectedGraph>();
  expectTypeOf(fromGraphology).returns.toEqualTypeOf<AlignmentData>();
});

test('options may be given as undefined', () => {
  expectTypeOf<{ share: undefined; seedsFile: undefined }>().toExtend<SplitOptions>();
});
