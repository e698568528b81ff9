import { describe, expect, it } from 'vitest';
import { createEventStream } from './event-stream.js';

const text =
  ': comment\n\ndata: one\n\nevent: x\r\ndata:two\r\nid: 7\r\n\r\n' +
  'data: a\ndata:  b\n\n\n\rdata: [DONE]';
const expected = ['one', 'two', 'a\n b', '[DONE]'];

describe('createEventStream', () => {
  it('reads events, however they are cut', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const data: string[] = [];
      const stream = createEventStream((one) => data.push(one));
      for (let at = 0; at < text.length; at += size) stream.push(text.slice(at, at + size));
      stream.end();
      expect(data).toEqual(expected);
    }
  });
});
