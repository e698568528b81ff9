/**
 * Servers on loopback that misbehave, and calls that open what they have.
 */
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { afterEach } from 'vitest';
import { type HttpCheckpointOptions, openCheckpoint, openHttpCheckpoint } from '../../src/index.js';
import {
  type FileRequest,
  type Misbehaviour,
  type RangeServer,
  startRangeServer,
} from './range-server.js';

export const llama = join(import.meta.dirname, 'checkpoints/llama3');
export const WHOLE = 'model.safetensors';
export const NORM = 'model.norm.weight';
export const DOWN = 'model.layers.0.mlp.down_proj.weight';

const open: RangeServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** A server, the waits of whoever asks it, and a call that opens what it has. */
export async function serve({ folder = llama, misbehave = (() => false) as Misbehaviour } = {}) {
  const server = await startRangeServer(folder);
  open.push(server);
  server.misbehave = misbehave;
  const waits: number[] = [];
  const start = (more: Partial<HttpCheckpointOptions> = {}) =>
    openHttpCheckpoint(server.url, {
      ...{ fetch, folder: join(temporaryFolder(), 'copies') },
      sleep: async (milliseconds) => {
        waits.push(milliseconds);
      },
      ...more,
    });
  return { server, waits, start };
}

/** Answers with a status. */
export const status =
  (code: number, of: (request: FileRequest) => boolean, headers: Record<string, string> = {}) =>
  (request: FileRequest, response: ServerResponse): boolean => {
    if (!of(request)) return false;
    response.writeHead(code, headers).end('an explanation');
    return true;
  };

export const isNamed =
  (name: string) =>
  (request: FileRequest): boolean =>
    request.name === name;
/** A range of numbers, behind the header of the weights. */
export const isData = ({ name, range }: FileRequest) =>
  name === WHOLE && range !== null && range[0] > 8;

/** The values of a weight as the folder has them. */
export async function valuesOf(name: string): Promise<Float32Array> {
  const checkpoint = openCheckpoint(llama);
  const values = await checkpoint.read(name);
  checkpoint.close();
  return values;
}
