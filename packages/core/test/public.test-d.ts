import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type ConfigDefinition,
  createRandom,
  type DeepPartial,
  LabError,
  type ResolvedConfig,
  resolveConfig,
} from '@lab/core';
import type { CliCommand } from '@lab/core/cli';

const schema = z.strictObject({
  model: z.strictObject({ kind: z.enum(['a', 'b']).default('a') }).prefault({}),
});
type Config = z.infer<typeof schema>;

test('a resolved config has the type of its schema', () => {
  const definition = {} as ConfigDefinition<Config>;
  const resolve = (): ResolvedConfig<Config> => resolveConfig(definition);
  expectTypeOf(resolve).returns.toEqualTypeOf<ResolvedConfig<Config>>();
  expectTypeOf(definition.modeValues.m).toEqualTypeOf<DeepPartial<Config> | undefined>();
  expectTypeOf<DeepPartial<{ list: number[] }>>().toEqualTypeOf<{ list?: number[] | undefined }>();
  expectTypeOf({ model: { kind: 'c' } }).not.toExtend<DeepPartial<Config>>();
});

test('random keeps the type of what it shuffles', () => {
  const random = createRandom(1);
  expectTypeOf(random.shuffle<Int32Array>).returns.toEqualTypeOf<Int32Array>();
  expectTypeOf(random.shuffle<string[]>).returns.toEqualTypeOf<string[]>();
});

test('LabError.is narrows', () => {
  const error: unknown = new LabError('m');
  if (LabError.is(error)) expectTypeOf(error.help).toEqualTypeOf<string | undefined>();
});

test('a command may return an exit code or nothing', () => {
  expectTypeOf<Awaited<ReturnType<CliCommand['run']>>>().toEqualTypeOf<number | void>();
});
