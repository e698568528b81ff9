/**
 * Provider batches: requests as a file that is answered elsewhere, at half the price or without a
 * server, and its answers into the store, where an ordinary run then finds them.
 *
 * The files have the form of OpenAI's Batch API, which vLLM's `run-batch` reads and writes as well.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, makeFolder, writeFileAtomic } from '@lab/core';
import type { AnswerStore } from './answer-cache.js';
import { type BatchForm, type BatchLine, eachBatchLine } from './batch-lines.js';
import type { ChatMessage, ChatRequest } from './chat.js';
import { chatBody, createAdaptations } from './chat-body.js';
import { checkRequest } from './check-request.js';
import { KeyTable, keyOf } from './key-table.js';
import type { LlmClient } from './llm-client.js';
import { type HashContext, requestHash } from './request-hash.js';

/** One line of a batch. */
export interface BatchRequest extends BatchLine {
  /** The hash of the request, which finds its answer's place in the store. */
  readonly custom_id: string;
  readonly method: 'POST';
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Where requests of one model at one server are written, and how. */
export interface BatchFileOptions {
  /** Folder of the files `batch-0.jsonl`, `batch-1.jsonl` and so on. */
  readonly out: string;
  /** Requests that have an answer there are left out. */
  readonly store?: Pick<AnswerStore, 'has'> | undefined;
  /** Requests of one file at most; default 50,000, as OpenAI takes no more. */
  readonly maxRequests?: number | undefined;
  /** Size of one file at most; default 100 MB, as OpenAI's documents say. */
  readonly maxBytes?: number | undefined;
  /** Path of the endpoint; default `/v1/chat/completions`. */
  readonly url?: string | undefined;
}

/** Settings of {@link exportBatch}. */
export interface ExportBatchOptions extends BatchFileOptions, HashContext {}

/** What {@link exportBatch} did. */
export interface BatchExport {
  readonly files: readonly string[];
  readonly written: number;
  /** Requests whose answer was there already. */
  readonly known: number;
  /** Requests that were equal to earlier ones. */
  readonly doubled: number;
}

/**
 * Writes requests as batches, each once, and none that has its answer already. Each file is
 * written whole or not at all.
 *
 * @throws {ConfigError} for a request that is none, or longer than a whole file, and where the
 *   folder holds a batch already.
 * @throws {DataError} when the folder cannot be written.
 */
export async function exportBatch(
  requests: Iterable<ChatRequest> | AsyncIterable<ChatRequest>,
  options: ExportBatchOptions,
): Promise<BatchExport> {
  const hashOf = (request: ChatRequest): string => requestHash(request, options);
  const writer = new BatchWriter(options, { model: options.model, hashOf });
  for await (const request of requests) writer.add(request);
  return writer.finish();
}

/** Whose requests a batch holds, and how they are named. */
type BatchTarget = Pick<LlmClient, 'hashOf' | 'model'>;

/** One request as a line of a batch, without line feed. */
export function batchLine(
  request: ChatRequest,
  options: HashContext & { readonly url?: string | undefined },
  hash: string = requestHash(request, options),
): string {
  const { model, url = '/v1/chat/completions' } = options;
  const body = chatBody(request, { model, isStreamed: false, adaptations: createAdaptations() });
  return `{"custom_id":"${hash}","method":"POST","url":${JSON.stringify(url)},"body":${body}}`;
}

/** Writes the requests to one model at one server: a provider takes no others in a file. */
export class BatchWriter {
  readonly #options: BatchFileOptions;
  readonly #target: BatchTarget;
  readonly #files: BatchFiles;
  readonly #seen = new KeyTable(4);
  #known = 0;
  #doubled = 0;

  /** @throws {ConfigError} where the folder holds a batch already. */
  constructor(options: BatchFileOptions, target: BatchTarget) {
    this.#options = options;
    this.#target = target;
    this.#files = new BatchFiles(options);
  }

  /** @throws {ConfigError} for a request that is none, or longer than a whole file. */
  add(request: ChatRequest): void {
    checkRequest(request);
    const hash = this.#target.hashOf(request);
    if (!this.#seen.add(keyOf(hash, 4)).isNew) {
      this.#doubled += 1;
    } else if (this.#options.store?.has(hash) === true) {
      this.#known += 1;
    } else {
      // The server is part of the hash, which is known.
      const context = { model: this.#target.model, server: '', url: this.#options.url };
      this.#files.add(batchLine(request, context, hash));
    }
  }

  /** Writes what is left. */
  finish(): BatchExport {
    this.#files.flush();
    const { paths: files, written } = this.#files;
    return { files, written, known: this.#known, doubled: this.#doubled };
  }
}

/**
 * Nothing, where a folder holds no batch, or is not there.
 *
 * @throws {ConfigError} otherwise: older files beside new ones would be sent, and paid, again.
 */
export function assertNoBatch(dir: string): void {
  const names = existsSync(dir) ? readdirSync(dir) : [];
  const earlier = names.find((name) => /^batch-\d+\.jsonl$/u.test(name));
  if (earlier === undefined) return;
  throw new ConfigError(`llm/batch: ${dir} holds a batch already (${earlier}).`, {
    help: 'give another folder, or remove the files of the earlier batch.',
  });
}

class BatchFiles {
  readonly paths: string[] = [];
  written = 0;
  readonly #options: BatchFileOptions;
  #lines: string[] = [];
  #bytes = 0;

  constructor(options: BatchFileOptions) {
    this.#options = options;
    assertNoBatch(options.out);
  }

  add(line: string): void {
    const { maxRequests = 50_000, maxBytes = 100_000_000 } = this.#options;
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > maxBytes) {
      throw new ConfigError(
        `llm/batch: a request has ${bytes.toLocaleString('en-US')} bytes, more than a whole file.`,
        { help: 'shorten its prompt, or raise maxBytes where the provider allows it.' },
      );
    }
    if (this.#lines.length >= maxRequests || this.#bytes + bytes > maxBytes) this.flush();
    this.#lines.push(`${line}\n`);
    this.#bytes += bytes;
    this.written += 1;
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    makeFolder(this.#options.out);
    const path = join(this.#options.out, `batch-${this.paths.length}.jsonl`);
    writeFileAtomic(path, this.#lines);
    this.paths.push(path);
    this.#lines = [];
    this.#bytes = 0;
  }
}

/**
 * The messages of all requests of batches, by hash.
 *
 * @throws {DataError} for a line that is no request of a batch.
 */
export async function readBatchMessages(
  paths: readonly string[],
): Promise<Map<string, readonly ChatMessage[]>> {
  const found = new Map<string, readonly ChatMessage[]>();
  for (const path of paths) {
    await eachBatchLine(path, requestForm, ({ custom_id: hash, body }) => {
      found.set(hash, body.messages);
    });
  }
  return found;
}

/** A line whose messages are there. */
interface ReadRequest extends BatchLine {
  readonly body: { readonly messages: readonly ChatMessage[] };
}

const requestForm: BatchForm<ReadRequest> = {
  name: 'a request',
  help: 'give the files that `llm export-batch` wrote.',
  isLine: (value): value is ReadRequest =>
    Array.isArray((value as Partial<ReadRequest>).body?.messages),
};
