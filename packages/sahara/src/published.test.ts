import { describe, expect, it } from 'vitest';
import {
  paperDataOf,
  paperModelOf,
  publishedChanges,
  publishedCorrections,
  publishedMethods,
} from './published.js';

describe('published numbers', () => {
  it('have the means that are printed beside them, to a hundredth', () => {
    for (const { changes, mean, ...row } of publishedChanges) {
      const own = changes.reduce((sum, value) => sum + value, 0) / changes.length;
      expect(Math.abs(own - mean), JSON.stringify(row)).toBeLessThan(0.0101);
    }
  });

  it('have every row once: two tables of two levels, ablations and data sets', () => {
    const keys = publishedChanges.map((row) =>
      [row.table, row.level, row.ablation, row.data].join(),
    );
    expect(new Set(keys).size).toBe(16);
    expect(publishedCorrections.map(({ data }) => data)).toEqual([
      ...['AdvBench', 'JailbreakBench', 'MaliciousInstruct'],
    ]);
    expect(publishedMethods.map(({ granularity }) => granularity)).toEqual([
      ...['rank', 'neuron', 'layer', 'head'],
    ]);
  });

  it('are found by the names of folders and files', () => {
    expect(paperModelOf('/models/Llama-2-7b-chat-hf')).toBe('llama-2-7b-chat');
    expect(paperModelOf('lmsys/vicuna-7b-v1.5')).toBe('vicuna-7b-v1.5');
    expect(paperModelOf('hub/models--meta-llama--Llama-2-7b-chat-hf/snapshots/f5db02/')).toBe(
      'llama-2-7b-chat',
    );
    expect(paperModelOf('Llama-2-7b-hf')).toBeNull();
    expect(paperModelOf('llama-2-7b-chat.Q4_K_M.gguf')).toBe('llama-2-7b-chat');
    expect(paperModelOf('Llama-2-7b-chat-hf-without')).toBeNull();
    expect(paperModelOf('vicuna-7b-v1.5-16k')).toBeNull();
    expect(paperModelOf('Llama-2-13b-chat-hf')).toBeNull();
    expect(
      ['jbb.csv', 'MaliciousInstruct.txt', 'harmful_behaviors.csv', 'mine.csv'].map(paperDataOf),
    ).toEqual(['JailbreakBench', 'MaliciousInstruct', 'AdvBench', null]);
  });
});
