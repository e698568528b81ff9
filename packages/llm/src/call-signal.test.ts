import { describe, expect, it } from 'vitest';
import { CallSignal, offAbort, onAbort } from './call-signal.js';

/** The two kinds of signals, and how they are aborted. */
const kinds = {
  CallSignal: () => {
    const signal = new CallSignal();
    return { signal, abort: (reason: unknown) => signal.abort(reason) };
  },
  AbortSignal: () => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
  },
};

describe.each(Object.entries(kinds))('listeners of a %s', (_, make) => {
  it('are told once, in their order, and only those that are still there', () => {
    const { signal, abort } = make();
    const told: string[] = [];
    const gone = (): void => void told.push('gone');
    onAbort(signal, () => told.push('first'));
    onAbort(signal, gone);
    onAbort(signal, () => told.push('second'));
    offAbort(signal, gone);
    abort('why');
    abort('again');
    expect(told).toEqual(['first', 'second']);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe('why');
  });

  it('may take others away while they are told', () => {
    const { signal, abort } = make();
    const told: string[] = [];
    const second = (): void => void told.push('second');
    onAbort(signal, () => offAbort(signal, second));
    onAbort(signal, second);
    abort('why');
    expect(told).toEqual([]);
  });
});

describe('listeners of a signal that many share', () => {
  it('are one for the signal itself, however many there are', () => {
    const controller = new AbortController();
    let added = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      added += 1;
      add(...parameters);
    };
    let told = 0;
    for (let call = 0; call < 1000; call += 1) onAbort(signal, () => (told += 1));
    controller.abort();
    expect({ added, told }).toEqual({ added: 1, told: 1000 });
  });
});
