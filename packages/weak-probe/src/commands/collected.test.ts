import { InterruptedError } from '@lab/core';
import { expect, it } from 'vitest';
import { unsaved } from './collected.js';

it('says of work that keeps nothing that it begins anew', async () => {
  const stop = () => Promise.reject(new InterruptedError('interrupted by SIGINT'));
  await expect(unsaved('the training', stop)).rejects.toMatchObject({
    message: 'stopped: the training begins anew with the same command',
    code: 'LAB_INTERRUPTED',
  });
  const fail = () => Promise.reject(new RangeError('other'));
  await expect(unsaved('the training', fail)).rejects.toThrow(RangeError);
  expect(await unsaved('the training', async () => 3)).toBe(3);
});
