/**
 * The text of a file's bytes, in the encodings that files of people have.
 */
import { DataError } from '@lab/core';

const marks = [
  { label: 'utf-16le', bytes: [0xff, 0xfe] },
  { label: 'utf-16be', bytes: [0xfe, 0xff] },
] as const;
/** A page names its encoding near its beginning. */
const headBytes = 2048;
const namedCharset = /<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)/i;

/**
 * The text of UTF-8, of UTF-16 with its mark, and of a web page in the encoding that it names.
 *
 * @throws {DataError} for other bytes: as text they would be read wrong, and nobody would see it.
 */
export function decodeText(bytes: Uint8Array, path: string): string {
  const marked = marks.find((mark) => mark.bytes.every((byte, at) => bytes[at] === byte));
  const isPage = /\.html?$/i.test(path);
  const named = isPage ? namedCharset.exec(asLatin1(bytes.subarray(0, headBytes)))?.[1] : undefined;
  const label = marked?.label ?? named ?? 'utf-8';
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: the file is not ${label.toUpperCase()}.`, {
      file: path,
      help:
        'save it as UTF-8, in an editor or e.g. by "iconv -f GB18030 -t UTF-8" (Chinese), ' +
        '"iconv -f WINDOWS-1252 -t UTF-8" (Western Europe).',
      cause,
    });
  }
}

const asLatin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
