import { describe, expect, it } from 'vitest';
import { createTruncationCheck } from './truncation.js';

describe('createTruncationCheck', () => {
  it('finds a cut prompt in the first response', () => {
    expect(createTruncationCheck().check(8000, 4096)).toBe('truncated');
  });

  it('takes a tokenizer with fewer tokens for what it is', () => {
    const { check } = createTruncationCheck();
    for (const ours of [5000, 3000, 9000]) expect(check(ours, ours * 0.8)).toBe('fine');
    expect(check(9000, 4096)).toBe('truncated');
  });

  it('uses the learned factor', () => {
    const { check } = createTruncationCheck();
    for (let index = 0; index < 20; index += 1) expect(check(1000, 1400)).toBe('fine');
    // 0.82 of what is expected, though more than our own count
    expect(check(4000, 4600)).toBe('truncated');
    expect(check(4000, 4800)).toBe('fine');
  });

  it('lets short prompts differ by 200 tokens', () => {
    const { check } = createTruncationCheck();
    expect(check(240, 41)).toBe('fine');
    expect(check(20, 90)).toBe('fine');
  });

  it('does not learn from cut prompts', () => {
    const { check } = createTruncationCheck();
    for (let index = 0; index < 30; index += 1) expect(check(9000, 4096)).toBe('truncated');
  });

  it('does not take the overhead of short prompts for a factor', () => {
    const { check } = createTruncationCheck();
    for (let index = 0; index < 20; index += 1) check(15, 45);
    expect(check(4000, 4030)).toBe('fine');
  });
});
