/**
 * Packed segments: gzip files of many small members, so that any tool unpacks the whole and a
 * reader takes one block.
 */
import { crc32, deflateRawSync, gunzipSync } from 'node:zlib';

/** Of a member's header: ten fixed bytes, and an extra field with the member's length. */
const headerBytes = 20;
const hasExtraField = 4;

/** A gzip member whose header says how long it is. */
export function packBlock(lines: Buffer): Buffer {
  const body = deflateRawSync(lines, { level: 6 });
  const block = Buffer.alloc(headerBytes + body.length + 8);
  block.set([0x1f, 0x8b, 8, hasExtraField, 0, 0, 0, 0, 0, 255]);
  block.writeUInt16LE(8, 10);
  block.write('LA', 12, 'latin1');
  block.writeUInt16LE(4, 14);
  block.writeUInt32LE(block.length, 16);
  body.copy(block, headerBytes);
  block.writeUInt32LE(crc32(lines), headerBytes + body.length);
  block.writeUInt32LE(lines.length % 2 ** 32, headerBytes + body.length + 4);
  return block;
}

/** Bytes that a reader needs to see the length of a block. */
export const blockHeaderBytes = headerBytes;

/** The length of the block that starts here, or undefined where none does. */
export function blockLength(bytes: Buffer): number | undefined {
  const isBlock = bytes.length >= headerBytes && bytes.readUInt32BE(0) === 0x1f8b0804;
  if (!isBlock || bytes.toString('latin1', 12, 14) !== 'LA') return undefined;
  const length = bytes.readUInt32LE(16);
  return length > headerBytes ? length : undefined;
}

/** The lines of a block; undefined where it is damaged. */
export function unpackBlock(block: Buffer): Buffer | undefined {
  try {
    return gunzipSync(block);
  } catch (error) {
    // A damaged block is a lost answer, which is asked for again.
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
}
