/**
 * A file behind a URL, read by range requests.
 */
import { setImmediate } from 'node:timers';
import { formatBytes } from '@lab/core';
import { type ByteSource, memorySource } from '@lab/tensor/io';
import { bodyChunks, discard, type HttpConnection, wholeBody } from './http-connection.js';
import {
  assertNoPage,
  changed,
  httpProblem,
  isAbsent,
  noRanges,
  PassingProblem,
  shownUrl,
  statusProblem,
} from './http-problem.js';
import { type JoinedRange, joinedRanges, type Stretch, writeStretches } from './joined-ranges.js';

/** A file that a server does not have, with the status that it answered. */
export interface AbsentFile {
  readonly absent: number;
}

/** Most bytes of a file that is taken whole from a server without range support. */
const WHOLE_BYTES = 1 << 24;

/** A gap costs less than a request; a range is small enough that several are under way. */
const LIMITS = { gapBytes: 1 << 16, mostBytes: 1 << 26 };

/** A file as its first answer describes it. */
interface RemoteFile {
  readonly url: URL;
  readonly sizeBytes: number;
  /** What changes with the content. */
  readonly version: Version;
}

interface Version {
  /** A strong one, which says that all bytes are the same. */
  readonly etag: string | null;
  readonly modified: string | null;
}

/**
 * Opens a file by a request of its first bytes, which tells its size.
 *
 * Stretches that are asked for together and lie near each other come with one request. A file of at
 * most 16 MB from a server without range support is read whole.
 *
 * @throws {ModelError} where the server gives it to nobody or not to us, or has no range support.
 */
export async function openHttpSource(
  connection: HttpConnection,
  url: URL,
  headBytes: number,
): Promise<AbsentFile | ByteSource> {
  return connection.exchange({
    url,
    headers: () => ({ range: `bytes=0-${headBytes - 1}` }),
    read: async (response) => {
      const { status } = response;
      if (isAbsent(status)) {
        await discard(response);
        return { absent: status };
      }
      if (status === 200) return wholeSource(url, response);
      const range = contentRange(response);
      // No byte of an empty file can be asked for.
      if (status === 416 && range?.total === 0) return memorySource(shownUrl(url), Buffer.alloc(0));
      if (status !== 206) throw statusProblem(url, status);
      const total = range?.total ?? null;
      if (total === null) throw wrongRange(url, response, { begin: 0, end: headBytes });
      const file = { url, sizeBytes: total, version: versionOf(response) };
      const head = Buffer.alloc(Math.min(headBytes, total));
      await readAnswer(response, file, { begin: 0, end: head.length }, (at, bytes) =>
        head.set(bytes, at),
      );
      return rangeSource(connection, file, head);
    },
  });
}

async function wholeSource(url: URL, response: Response): Promise<ByteSource> {
  assertNoPage(url, response);
  const bytes = await wholeBody(response, WHOLE_BYTES);
  if (bytes === null) {
    throw noRanges(url, `it sends the whole file, of more than ${formatBytes(WHOLE_BYTES)}`);
  }
  return memorySource(shownUrl(url), bytes);
}

interface Wanted extends Stretch {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function rangeSource(connection: HttpConnection, file: RemoteFile, head: Buffer): ByteSource {
  let wanted: Wanted[] = [];
  const bring = async (range: JoinedRange<Wanted>) => {
    try {
      await readRange(connection, file, range);
      for (const { resolve } of range.parts) resolve();
    } catch (error) {
      for (const { reject } of range.parts) reject(error);
    }
  };
  const bringAll = () => {
    const ranges = joinedRanges(wanted, LIMITS);
    wanted = [];
    for (const range of ranges) void bring(range);
  };
  return {
    path: shownUrl(file.url),
    sizeBytes: file.sizeBytes,
    async readLarge(target, position) {
      if (position + target.length <= head.length) {
        target.set(head.subarray(position, position + target.length));
        return;
      }
      if (target.length === 0) return;
      await new Promise<void>((resolve, reject) => {
        // Reads that begin with this one are asked for together.
        if (wanted.length === 0) setImmediate(bringAll);
        wanted.push({ target, position, resolve, reject });
      });
    },
    // The connection is that of all files.
    close: () => undefined,
  };
}

/** Reads a range; a try goes on where the one before it broke off. */
async function readRange(
  connection: HttpConnection,
  file: RemoteFile,
  { begin, end, parts }: JoinedRange<Stretch>,
): Promise<void> {
  const { url, version } = file;
  let reached = begin;
  while (reached < end) {
    await connection.exchange({
      url,
      headers: () => ({
        range: `bytes=${reached}-${end - 1}`,
        ...(version.etag === null ? {} : { 'if-range': version.etag }),
      }),
      read: (response) =>
        readAnswer(response, file, { begin: reached, end }, (at, bytes) => {
          writeStretches(parts, at, bytes);
          reached = at + bytes.length;
        }),
    });
  }
}

interface AskedRange {
  readonly begin: number;
  readonly end: number;
}

/** Gives the bytes of an answer to a range to `write`; a server may give the first of them only. */
async function readAnswer(
  response: Response,
  file: RemoteFile,
  asked: AskedRange,
  write: (position: number, bytes: Uint8Array) => void,
): Promise<void> {
  assertSame(response, file);
  const { url } = file;
  if (response.status !== 206) throw statusProblem(url, response.status);
  const range = contentRange(response);
  const isOwn = range !== null && range.begin === asked.begin && range.end <= asked.end;
  if (!isOwn || range.end <= range.begin) throw wrongRange(url, response, asked);
  const length = range.end - range.begin;
  let reached = range.begin;
  for await (const bytes of bodyChunks(response)) {
    if (reached + bytes.length > range.end) {
      const what = `the server sends more than the ${length} bytes that it announces`;
      throw httpProblem(url, what, { help: UNFIT, status: 206 });
    }
    write(reached, bytes);
    reached += bytes.length;
  }
  if (reached === range.end) return;
  const what = `the answer has ${reached - range.begin} of ${length} bytes`;
  throw new PassingProblem(what, { help: UNFIT });
}

const UNFIT =
  'Download the checkpoint: this server, or one on the way to it, does not do as it says.';

function wrongRange(url: URL, { headers }: Response, { begin, end }: AskedRange) {
  const given = headers.get('content-range') ?? 'no range';
  const what = `the server gives ${given} where bytes ${begin}-${end - 1} were asked for`;
  return httpProblem(url, what, { help: UNFIT, status: 206 });
}

/** @throws {ModelError} where an answer is about another content than the first one. */
function assertSame(response: Response, { url, sizeBytes, version }: RemoteFile): void {
  const { status, headers } = response;
  if (status === 416) throw changed(url, `it has no longer ${sizeBytes} bytes`);
  if (status !== 206 && status !== 200) return;
  const own = versionOf(response);
  for (const key of ['etag', 'modified'] as const) {
    const [before, now] = [version[key], own[key]];
    if (before === null || now === null) continue;
    if (before !== now) throw changed(url, `${before} was its version, now ${now}`);
    break;
  }
  const total = status === 206 ? contentRange(response)?.total : headers.get('content-length');
  if (total !== null && total !== undefined && Number(total) !== sizeBytes) {
    throw changed(url, `it had ${sizeBytes} bytes, now ${total}`);
  }
  if (status === 200) throw noRanges(url, 'it gave a range before and now sends all');
}

function versionOf({ headers }: Response): Version {
  const etag = headers.get('etag');
  return {
    etag: etag?.startsWith('"') === true ? etag : null,
    modified: headers.get('last-modified'),
  };
}

/** What `Content-Range` says; `total` null where the server does not know it. */
function contentRange({ headers }: Response) {
  const text = headers.get('content-range')?.trim() ?? '';
  const found = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(text);
  if (found === null) return null;
  const [, first, last, total] = found;
  return {
    begin: Number(first ?? 0),
    end: Number(last ?? -1) + 1,
    total: total === '*' ? null : Number(total),
  };
}
