import { describe, expect, it } from 'vitest';
import { interventionsSchema } from './interventions.js';
import { schemaProblems } from './json-schema.js';

const problems = (value: unknown) =>
  schemaProblems(value, interventionsSchema).map(({ path, what }) => `${path}: ${what}`);

describe('schemaProblems', () => {
  it('finds none in what fits', () => {
    const value = [
      { kind: 'zero', site: 'z', layer: 0, head: 1, granularity: 'kv-group', positions: [0, 2] },
      { kind: 'scale', site: 'hook_embed', value: 0.5 },
      { kind: 'add', site: 'hook_embed', value: [1, 2.5] },
    ];
    expect(problems(value)).toEqual([]);
    expect(problems([])).toEqual([]);
  });

  it.each([
    ['no list', { kind: 'zero' }, [': must be a list, each an object, got {"kind":"zero"}']],
    ['nothing', null, [': must be a list, each an object, got null']],
    ['a text for a change', ['zero'], ['[0]: must be an object, got "zero"']],
    ['a list for a change', [[]], ['[0]: must be an object, got []']],
    ['fields that are missing', [{}], ['[0]: has no kind', '[0]: has no site']],
    [
      'a kind that is not known',
      [{ kind: 'zap', site: 'z' }],
      [expect.stringMatching(/^\[0\]\.kind: must be one of scale, zero, .*, got "zap"$/)],
    ],
    [
      'a field that is not known',
      [{ kind: 'zero', site: 'z', layers: 1 }],
      [expect.stringMatching(/^\[0\]: has layers, which is not known; known are kind, site/)],
    ],
    [
      'a number below the least',
      [{ kind: 'zero', site: 'z', layer: -1 }],
      ['[0].layer: must be a whole number of at least 0, got -1'],
    ],
    [
      'half a number',
      [{ kind: 'zero', site: 'z', positions: [0, 1.5] }],
      ['[0].positions[1]: must be a whole number of at least 0, got 1.5'],
    ],
    [
      'a value that is neither',
      [
        { kind: 'zero', site: 'z' },
        { kind: 'add', site: 7, value: ['x'] },
      ],
      [
        '[1].site: must be a text, got 7',
        '[1].value: must be a number or a list, each a number, got ["x"]',
      ],
    ],
  ])('says where %s is', (_, value, wanted) => {
    expect(problems(value)).toEqual(wanted);
  });
});
