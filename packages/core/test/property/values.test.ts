import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseSetValue } from '../../src/config-values.js';
import {
  type ConfigDefinition,
  createRandom,
  editDistance,
  formatCount,
  nearest,
  resolveConfig,
} from '../../src/index.js';
import { toBeClose } from '../../src/testing.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('random streams', () => {
  const seedAndName = fc.record({ seed: fc.integer(), name: fc.string() });

  it('are equal for equal seed and name, whatever was drawn or forked before', () => {
    fc.assert(
      fc.property(seedAndName, fc.nat(20), ({ seed, name }, draws) => {
        const used = createRandom(seed);
        for (let i = 0; i < draws; i += 1) used.uniform();
        used.fork('other').normal();
        const [a, b] = [used.fork(name), createRandom(seed).fork(name)];
        expect([a.normal(), a.uniform(), a.seed32()]).toEqual([
          b.normal(),
          b.uniform(),
          b.seed32(),
        ]);
      }),
    );
  });

  it('keep their ranges', () => {
    const shapes = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(seedAndName, fc.integer({ min: 1, max: 2 ** 53 - 1 }), shapes, (s, below, a) => {
        const random = createRandom(s.seed).fork(s.name);
        const whole = random.integer(below);
        expect(Number.isSafeInteger(whole) && whole >= 0 && whole < below).toBe(true);
        const uniform = random.uniform();
        expect(uniform >= 0 && uniform < 1).toBe(true);
        const beta = random.beta(a, 1 / a);
        expect(beta >= 0 && beta <= 1).toBe(true);
        expect(Number.isFinite(random.normal())).toBe(true);
      }),
    );
  });

  it('permute every number once', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, n) => {
        const sorted = createRandom(seed).permutation(n).sort();
        expect(Array.from(sorted)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });
});

describe('--set values', () => {
  it('read JSON scalars and lists as they are', () => {
    const scalar = fc.oneof(finite, fc.boolean(), fc.constant(null), fc.string());
    const value = fc.oneof(scalar, fc.array(scalar));
    fc.assert(
      fc.property(value, (item) => {
        expect(parseSetValue(JSON.stringify(item))).toEqual(JSON.parse(JSON.stringify(item)));
      }),
    );
  });
});

describe('config layers', () => {
  const schema = z.strictObject({
    a: z.strictObject({ x: z.number().default(0), y: z.number().default(0) }).prefault({}),
    b: z.strictObject({ z: z.number().default(0) }).prefault({}),
  });
  const paths = ['a.x', 'a.y', 'b.z'] as const;

  it('the last one that names an option wins and is its origin', () => {
    const number = fc.integer({ min: 1, max: 99 });
    const layer = fc.record({ x: number, y: number, z: number }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(layer, { minLength: 4, maxLength: 4 }), (layers) => {
        const [mode = {}, preset = {}, file = {}, set = {}] = layers;
        const nest = ({ x, y, z: deep }: typeof mode) => ({ a: { x, y }, b: { z: deep } });
        const definition: ConfigDefinition<z.infer<typeof schema>> = {
          name: 'demo',
          schema,
          modes: ['m'],
          defaultMode: 'm',
          modeValues: { m: nest(mode) },
          presets: { p: { description: '', values: nest(preset) } },
        };
        const entries = paths.flatMap((path) => {
          const value = set[path.slice(2) as 'x'];
          return value === undefined ? [] : [`${path}=${value}`];
        });
        const resolved = resolveConfig(definition, {
          preset: 'p',
          file: { name: 'f', values: nest(file) },
          set: entries,
        });
        for (const path of paths) {
          const key = path.slice(2) as 'x';
          const values = [0, mode[key], preset[key], file[key], set[key]];
          const origins = ['default', 'mode m', 'preset p', 'file f', '--set'];
          const last = values.findLastIndex((value) => value !== undefined);
          const topic = resolved.config[path[0] as 'a'];
          expect(topic[key]).toBe(values[last]);
          expect(resolved.origins[path]).toBe(origins[last]);
        }
      }),
    );
  });
});

describe('names', () => {
  const word = fc.string({ maxLength: 12 });

  it('have a symmetric distance within its bounds', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('are their own nearest', () => {
    const list = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,10}$/), { minLength: 1 });
    fc.assert(
      fc.property(list, fc.nat(), (names, pick) => {
        const name = names[pick % names.length] ?? '';
        expect(nearest(name, names)).toBe(name);
      }),
    );
  });
});

describe('numbers', () => {
  it('with commas can be read back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (count) => {
        expect(Number(formatCount(count).replaceAll(',', ''))).toBe(count);
      }),
    );
  });

  it('are close to themselves and not to what is beyond the tolerance', () => {
    const small = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(small, { minLength: 1 }), fc.nat(), (values, pick) => {
        expect(toBeClose(values, values).pass).toBe(true);
        const index = pick % values.length;
        const moved = values.map((value, i) => (i === index ? value + 1 : value));
        const result = toBeClose(moved, values, { atol: 0.5 });
        expect(result.pass).toBe(false);
        expect(result.message()).toContain(`at [${index}]`);
      }),
    );
  });
});
