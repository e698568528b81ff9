import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { BackendError } from '@lab/core';

/** A message of the DevTools protocol that is not an answer. */
export interface BrowserEvent {
  readonly method: string;
  readonly sessionId?: string;
  readonly params: Record<string, unknown>;
}

/** A running browser that is spoken to over pipes: no port is opened. */
export interface Browser {
  /** Sends a command and returns its result. @throws {BackendError} when the browser refuses. */
  send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
  /** Calls `listener` for each event; the returned function ends that. */
  listen(listener: (event: BrowserEvent) => void): () => void;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

interface Pending {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

const FLAGS = [
  '--headless=new',
  '--remote-debugging-pipe',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--hide-scrollbars',
  '--force-color-profile=srgb',
  '--font-render-hinting=none',
];

/**
 * A headless Chromium, spoken to by the DevTools protocol over file descriptors 3 and 4.
 *
 * @param program - path or name of the browser; default `chromium`.
 * @throws {BackendError} on the first command when the browser cannot be started.
 */
export function openBrowser(program = 'chromium'): Browser {
  const profile = mkdtempSync(join(tmpdir(), 'report-chromium-'));
  const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  return new PipeBrowser(child, profile);
}

class PipeBrowser implements Browser {
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<(event: BrowserEvent) => void>();
  private readonly ended: Promise<void>;
  private lastId = 0;
  private failure: BackendError | undefined;
  private rest = Buffer.alloc(0);

  constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
  ) {
    const output = child.stdio[4] as Readable;
    output.on('data', (chunk: Buffer) => this.receive(chunk));
    this.input.on('error', (cause) => this.fail('the pipe to the browser broke', cause));
    this.ended = new Promise((resolve) => {
      child.once('error', (cause) => {
        this.fail('the browser cannot be started', cause);
        resolve();
      });
      child.once('exit', (code) => {
        this.fail(`the browser ended with code ${code}`);
        resolve();
      });
    });
  }

  private get input(): Writable {
    return this.child.stdio[3] as Writable;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    if (this.failure) return Promise.reject(this.failure);
    this.lastId += 1;
    const id = this.lastId;
    const message = { id, method, params, ...(sessionId ? { sessionId } : {}) };
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.input.write(`${JSON.stringify(message)}\0`);
    });
  }

  listen(listener: (event: BrowserEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (!this.failure) await this.send('Browser.close').catch((error: unknown) => error);
    await this.ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private receive(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let end = this.rest.indexOf(0); end >= 0; end = this.rest.indexOf(0)) {
      const message = JSON.parse(this.rest.subarray(0, end).toString('utf8'));
      this.rest = this.rest.subarray(end + 1);
      if (typeof message.id === 'number') this.answer(message);
      else for (const listener of this.listeners) listener(message);
    }
  }

  private answer(message: {
    id: number;
    result?: Record<string, unknown>;
    error?: { message: string };
  }): void {
    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.error) {
      waiting?.reject(new BackendError(`report/testing: browser: ${message.error.message}`));
    } else waiting?.resolve(message.result ?? {});
  }

  private fail(reason: string, cause?: unknown): void {
    this.failure ??= new BackendError(`report/testing: ${reason}.`, {
      help: 'Install Chromium (Debian: apt-get install chromium) or pass its path.',
      ...(cause === undefined ? {} : { cause }),
    });
    for (const waiting of this.pending.values()) waiting.reject(this.failure);
    this.pending.clear();
  }
}
