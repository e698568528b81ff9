import { describe, expect, it } from 'vitest';
import type { GenerationResult } from '../generation/engine.js';
import { CertainTokens } from './certain-tokens.js';

const endedBy = (stoppedBy: GenerationResult['stoppedBy']): GenerationResult => ({
  ...{ ids: [], text: '', finishReason: 'stop', stoppedBy, events: [] },
  usage: { promptTokens: 1, newTokens: 1 },
});
const idsOf = (events: readonly { readonly id: number }[]) => events.map(({ id }) => id);

describe('CertainTokens', () => {
  it('holds tokens back until text comes', () => {
    const certain = new CertainTokens([9]);
    expect(idsOf(certain.push({ id: 1, text: 'a' }))).toEqual([1]);
    expect(certain.push({ id: 2, text: '' })).toEqual([]);
    expect(idsOf(certain.push({ id: 3, text: 'b' }))).toEqual([2, 3]);
    expect(certain.end(endedBy(null))).toEqual([]);
  });

  it('tells no token that a stop text took away', () => {
    const certain = new CertainTokens([9]);
    certain.push({ id: 1, text: '' });
    certain.push({ id: 2, text: '' });
    expect(certain.end(endedBy('stop'))).toEqual([]);
  });

  it('tells no stop id, but what was held back before it', () => {
    const certain = new CertainTokens([9]);
    certain.push({ id: 1, text: '' });
    // The text that might have been the begin of a stop text comes with the stop id.
    expect(idsOf(certain.push({ id: 9, text: 'held' }))).toEqual([1]);
    expect(certain.end(endedBy(9))).toEqual([]);
    const other = new CertainTokens([9]);
    other.push({ id: 1, text: '' });
    other.push({ id: 9, text: '' });
    expect(idsOf(other.end(endedBy(9)))).toEqual([1]);
  });
});
