import { expectTypeOf, test } from 'vitest';
import type { AlignedGraphs, AlignmentMetrics, Modality, NamedPair } from '@lab/alignment';
import type { ResolvedConfig } from '@lab/core';
import type { BlockwiseLearner } from '../src/blockwise-learner.js';
import type { LoginmeaEpochRecord } from '../src/epoch-record.js';
import {
  align,
  type LoginmeaConfig,
  train,
  type TrainOptions,
  type TrainResult,
} from '../src/index.js';
import type { LoginmeaLearner } from '../src/learner.js';

test('train takes names of presets and modes, and settings with their type', () => {
  expectTypeOf<{ data: string; preset: 'quick'; mode: 'official' }>().toExtend<TrainOptions>();
  expectTypeOf<{ data: string; preset: 'dbp16k' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ data: string; mode: 'exact' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ preset: 'dbp15k' }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ data: string; config: ResolvedConfig<LoginmeaConfig> }>().toExtend<TrainOptions>();
});

test('options may be given as undefined', () => {
  expectTypeOf<{ data: string; signal: undefined; seed: undefined }>().toExtend<TrainOptions>();
});

test('metrics are there or null, never missing, and the learner is that of the method', () => {
  expectTypeOf(train).returns.resolves.toEqualTypeOf<TrainResult>();
  expectTypeOf<TrainResult['metrics']>().toEqualTypeOf<AlignmentMetrics | null>();
  expectTypeOf<TrainResult['state']['learner']>().toEqualTypeOf<
    LoginmeaLearner | BlockwiseLearner
  >();
});

test('pairs of own graphs have names, and a confidence that may be unknown', () => {
  expectTypeOf(align).returns.resolves.toEqualTypeOf<AlignedGraphs>();
  expectTypeOf<NamedPair['source']>().toEqualTypeOf<string>();
  expectTypeOf<NamedPair['confidence']>().toEqualTypeOf<number | null>();
});

test('choices of the config are closed lists', () => {
  expectTypeOf<LoginmeaConfig['data']['modalities']>().toEqualTypeOf<Modality[]>();
  expectTypeOf<LoginmeaConfig['loss']['kind']>().toEqualTypeOf<
    'infonce' | 'icl' | 'hard-sample' | 'margin'
  >();
  expectTypeOf<LoginmeaConfig['training']['optimizerReset']>().toEqualTypeOf<
    'every-epoch' | 'once' | 'never'
  >();
});

test('a record has weights of modalities only where they were measured', () => {
  expectTypeOf<LoginmeaEpochRecord['fusedNorm']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<NonNullable<LoginmeaEpochRecord['modalityWeights']>>().toEqualTypeOf<
    Partial<Record<'image' | 'relation' | 'attribute', number>>
  >();
});
