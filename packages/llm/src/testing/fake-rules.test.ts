import { describe, expect, it } from 'vitest';
import { requestOf } from './fake-request.js';
import { compileRules } from './fake-rules.js';
import { readFakeScript } from './fake-script-reader.js';
import type { FakeScript } from './fake-script.js';

const prompts = Array.from({ length: 400 }, (_, index) => `prompt ${index}`);

/** Which text each prompt gets, at an attempt of it. */
function chosen(script: FakeScript, seed: number, attempt = 1): string[] {
  const choose = compileRules(readFakeScript(script), seed);
  return prompts.map((prompt) => {
    const arrival = { attempt, arrival: 1, concurrent: 1, apiKey: '' };
    const [first] = choose(requestOf('completions', { prompt }, () => arrival)).answers;
    return first?.do === 'text' ? first.text : '';
  });
}

const shareOf = (texts: readonly string[], text: string): number =>
  texts.filter((item) => item === text).length / texts.length;

const script: FakeScript = {
  rules: [
    { do: 'text', text: 'A', when: { share: 0.3 } },
    { do: 'text', text: 'B', when: { share: 0.5 } },
    { do: 'text', text: 'C' },
  ],
};

describe('compileRules', () => {
  it('draws a share of prompts, each rule for itself', () => {
    const texts = chosen(script, 0);
    // Deviations of 400 draws are 0.023 and 0.024; four of them are allowed.
    expect(Math.abs(shareOf(texts, 'A') - 0.3)).toBeLessThan(0.1);
    expect(Math.abs(shareOf(texts, 'B') - 0.35)).toBeLessThan(0.1);
    expect(chosen(script, 0)).toEqual(texts);
    expect(chosen(script, 0, 2)).toEqual(texts);
  });

  it('draws other prompts for another seed', () => {
    const [one, two] = [chosen(script, 0), chosen(script, 1)];
    const both = one.filter((text, index) => text === 'A' && two[index] === 'A').length;
    expect(Math.abs(both / prompts.length - 0.09)).toBeLessThan(0.06);
  });

  it('draws each attempt anew when told', () => {
    const anew: FakeScript = {
      rules: [{ do: 'text', text: 'A', when: { share: 0.5, draw: 'attempt' } }],
    };
    const [one, two] = [chosen(anew, 0, 1), chosen(anew, 0, 2)];
    const both = one.filter((text, index) => text === 'A' && two[index] === 'A').length;
    expect(Math.abs(both / prompts.length - 0.25)).toBeLessThan(0.1);
  });

  it('takes none and all for the shares 0 and 1', () => {
    const none: FakeScript = { rules: [{ do: 'text', text: 'A', when: { share: 0 } }] };
    const all: FakeScript = { rules: [{ do: 'text', text: 'A', when: { share: 1 } }] };
    expect(shareOf(chosen(none, 0), 'A')).toBe(0);
    expect(shareOf(chosen(all, 0), 'A')).toBe(1);
  });
});
