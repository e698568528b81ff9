import { expectTypeOf, test } from 'vitest';
import type { ResolvedConfig } from '@lab/core';
import {
  align,
  type AlignedGraphs,
  type AlignmentMetrics,
  type IbmeaConfig,
  type Modality,
  type NamedPair,
  train,
  type TrainOptions,
  type TrainResult,
} from '../src/index.js';

test('train takes names of presets and modes, and settings with their type', () => {
  expectTypeOf<{ data: string; preset: 'dbp15k'; mode: 'official' }>().toExtend<TrainOptions>();
  expectTypeOf<{ data: string; preset: 'dbp16k' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ data: string; mode: 'exact' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ preset: 'dbp15k' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ data: string; config: ResolvedConfig<IbmeaConfig> }>().toExtend<TrainOptions>();
});

test('options may be given as undefined', () => {
  expectTypeOf<{ data: string; signal: undefined; seed: undefined }>().toExtend<TrainOptions>();
});

test('metrics are there or null, never missing', () => {
  expectTypeOf(train).returns.resolves.toEqualTypeOf<TrainResult>();
  expectTypeOf<TrainResult['metrics']>().toEqualTypeOf<AlignmentMetrics | null>();
});

test('pairs of own graphs have names, and a confidence that may be unknown', () => {
  expectTypeOf(align).returns.resolves.toEqualTypeOf<AlignedGraphs>();
  expectTypeOf<NamedPair['source']>().toEqualTypeOf<string>();
  expectTypeOf<NamedPair['confidence']>().toEqualTypeOf<number | null>();
});

test('the modalities of the config are a closed list', () => {
  expectTypeOf<Modality>().toEqualTypeOf<'image' | 'attribute' | 'relation' | 'graph'>();
  expectTypeOf<IbmeaConfig['data']['modalities']>().toEqualTypeOf<Modality[]>();
});
