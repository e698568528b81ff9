import { BackendError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import type { KernelAddon } from './kernel-addon.js';
import { roomOf, type TensorflowBackend } from './tensorflow-backend.js';

const MEBIBYTE = 2 ** 20;

/** A machine on which memory can run out; what it has given out, by address. */
function machineOf(isFull = false) {
  const [tensors, rooms] = [new Map<number, number>(), new Map<number, number>()];
  let next = 64;
  const give = (from: Map<number, number>, bytes: number, key = next): number => {
    from.set(key, bytes);
    next += bytes;
    return key;
  };
  const binding = {
    labAllocate(shape: readonly number[], _: number, place: Float64Array) {
      place[0] = isFull ? 0 : next;
      return give(tensors, 4 * (shape[0] as number), tensors.size + 1);
    },
    deleteTensor: (id: number) => void tensors.delete(id),
  };
  const addon = {
    allocate: (bytes: number) => (isFull ? 0 : give(rooms, bytes)),
    release: (address: number) => void rooms.delete(address),
  };
  const backend = { binding } as unknown as TensorflowBackend;
  return { tensors, rooms, ...roomOf(backend, addon as KernelAddon, 1) };
}

describe('room beside the tensors of TensorFlow', () => {
  it('is a tensor where it is large, and goes back to where it came from', () => {
    const { allocate, free, tensors, rooms } = machineOf();
    const [small, large] = [allocate(1000), allocate(3 * MEBIBYTE + 1)];
    expect([...rooms]).toEqual([[small, 1000]]);
    expect([...tensors.values()]).toEqual([3 * MEBIBYTE + 4]);
    free(large);
    expect(tensors.size).toBe(0);
    expect(rooms.size).toBe(1);
    free(small);
    expect(rooms.size).toBe(0);
  });

  it.each([1000, MEBIBYTE])('of %d bytes is refused where there is none', (bytes) => {
    const { allocate, tensors } = machineOf(true);
    expect(() => allocate(bytes)).toThrow(BackendError);
    expect(() => allocate(bytes)).toThrow(/no memory for another/);
    expect(tensors.size).toBe(0);
  });
});
