import { describe, expect, it } from 'vitest';
import { placesLike } from './commands/place-patterns.js';
import { type HookNames, isNamed } from './hooks.js';

const places = [
  'blocks.0.hook_resid_pre',
  ...['hook_attn_in', 'hook_q_input', 'hook_mlp_in'].map((name) => `blocks.0.${name}`),
  ...['blocks.0.attn.hook_q', 'blocks.0.mlp.hook_pre', 'hook_tokens', 'hook_embed'],
];

describe('optional places', () => {
  it.each<[HookNames, string[]]>([
    ['blocks.0.hook_q_input', ['blocks.0.hook_q_input']],
    ['hook_tokens', ['hook_tokens']],
    [/./, places.filter((name) => !/_(in|input|tokens)$/.test(name))],
    [/mlp/, ['blocks.0.mlp.hook_pre']],
    [/hook_q/, ['blocks.0.attn.hook_q']],
    [/hook_\w+$/, places.filter((name) => !/_(in|input|tokens)$/.test(name))],
    [/hook_([qkv]_input|mlp_in)$/, ['blocks.0.hook_q_input', 'blocks.0.hook_mlp_in']],
    [/^(hook_tokens|hook_embed)$/, ['hook_tokens', 'hook_embed']],
    [(name) => name.endsWith('attn_in'), ['blocks.0.hook_attn_in']],
    [(name) => name.startsWith('hook_'), ['hook_embed']],
    [(name) => new Set(places).has(name), places],
  ])('%s means those that it names', (names, wanted) => {
    expect(places.filter((place) => isNamed(names, place)).toSorted()).toEqual(wanted.toSorted());
  });

  it.each([
    ['blocks.*', 3],
    ['*', 4],
    ['blocks.*.hook_q_input', 1],
    ['*_in', 2],
    ['*.ln2.hook_in', 1],
  ])('the stars of %s mean them where they are named', (pattern, count) => {
    const all = places.map((name) => ({
      name,
      aliases: name.endsWith('mlp_in') ? ['blocks.0.ln2.hook_in'] : [],
    }));
    expect(placesLike([pattern], all, (name) => name).size).toBe(count);
  });
});
