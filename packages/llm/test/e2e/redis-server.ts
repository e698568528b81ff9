import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { requireProgram, temporaryFolder } from '@lab/core/testing';
import { Redis } from 'ioredis';

/** Whether there is a Redis to test with. */
export const hasRedis = requireProgram('redis-server');

/** A Redis that can be killed and comes back with all that it had acknowledged. */
export interface RedisServer {
  readonly url: string;
  /** Ends it with -9 and starts it on its append-only file. */
  killAndRestart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a Redis on a free port, in a folder of its own. */
export async function startRedis(): Promise<RedisServer> {
  const dir = temporaryFolder();
  const { port, ...started } = await startOnFreePort(dir, 5);
  let { child } = started;
  return {
    url: urlOf(port),
    async killAndRestart() {
      await kill(child);
      child = await start(port, dir);
    },
    close: () => kill(child),
  };
}

/** Another process may take a free port before Redis does: then it is another one. */
async function startOnFreePort(
  dir: string,
  attempts: number,
): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const port = await freePort();
  try {
    return { port, child: await start(port, dir) };
  } catch (error) {
    if (attempts === 1) throw error;
    return startOnFreePort(dir, attempts - 1);
  }
}

const urlOf = (port: number) => `redis://127.0.0.1:${port}`;

/** A Redis that answers; throws where it ends before. */
async function start(port: number, dir: string): Promise<ChildProcess> {
  const lasting = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir];
  const place = ['--port', String(port), '--bind', '127.0.0.1'];
  const child = spawn('redis-server', [...place, ...lasting], { stdio: 'ignore' });
  const link = new Redis(urlOf(port), { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  link.on('error', () => undefined);
  child.once('close', () => link.disconnect());
  await link.ping();
  link.disconnect();
  return child;
}

/** A port of loopback that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Ends a process with -9 and waits for its end. */
export function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}
