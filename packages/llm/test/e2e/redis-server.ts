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
  const [port, dir] = [await freePort(), temporaryFolder()];
  const url = `redis://127.0.0.1:${port}`;
  const lasting = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir];
  const place = ['--port', String(port), '--bind', '127.0.0.1'];
  const start = async (): Promise<ChildProcess> => {
    const child = spawn('redis-server', [...place, ...lasting], { stdio: 'ignore' });
    await untilReady(url);
    return child;
  };
  let child = await start();
  return {
    url,
    async killAndRestart() {
      await kill(child);
      child = await start();
    },
    close: () => kill(child),
  };
}

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function untilReady(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  await redis.ping();
  redis.disconnect();
}

/** Ends a process with -9 and waits for its end. */
export function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}
