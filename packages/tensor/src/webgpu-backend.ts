/**
 * The backend webgpu of tfjs on Dawn (npm package `webgpu`): how it comes up, and its guard.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BackendError } from '@lab/core';
import { guardDevice, type WebgpuBackend } from './webgpu-guard.js';
import { tf } from './tfjs.js';

interface Adapter {
  readonly info?: {
    readonly architecture?: string;
    readonly description?: string;
    readonly device?: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<Adapter | null>;
}

/** The npm package `webgpu`. */
export interface WebgpuPackage {
  create(options: string[]): Gpu;
  readonly globals: object;
}

/** As tfjs asks for it, so that the adapter looked at is the adapter used. */
const REQUEST = { powerPreference: 'high-performance' };

const DRIVER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'VK_ICD_FILENAMES'];

function driverFolders(): string[] {
  const roots = [
    ...[process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), '/etc/xdg', '/etc'],
    ...[process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share')],
    ...(process.env['XDG_DATA_DIRS'] ?? '/usr/local/share:/usr/share').split(':'),
  ];
  return roots.map((root) => join(root, 'vulkan', 'icd.d'));
}

/** False on a Linux without any Vulkan driver, where Dawn would print warnings of its own. */
export function hasGraphicsDriver(platform: string = process.platform): boolean {
  if (platform !== 'linux') return true;
  if (DRIVER_VARIABLES.some((name) => process.env[name])) return true;
  return driverFolders().some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

/** Whether the adapter computes on the processor. */
export function isSoftwareAdapter({ info }: Adapter): boolean {
  if (info?.isFallbackAdapter === true) return true;
  const label = `${info?.architecture ?? ''} ${info?.device ?? ''} ${info?.description ?? ''}`;
  return /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(label);
}

/** The error for a machine without a driver or with a software adapter alone. */
export function noHardwareError(found: string): BackendError {
  return new BackendError(`tensor: webgpu finds no hardware adapter (${found}).`, {
    help: 'Install a Vulkan, Metal or D3D12 driver, or choose the backend wasm.',
  });
}

let shared: Gpu | undefined;

/**
 * The one instance of Dawn in this process. It is never let go: were it collected while a device of
 * it lives, the process would crash.
 */
function sharedGpu({ create }: WebgpuPackage): Gpu {
  shared ??= create([]);
  return shared;
}

/** The adapter that tfjs would be given; null when there is none. */
export function requestAdapter(webgpu: WebgpuPackage): Promise<Adapter | null> {
  return sharedGpu(webgpu).requestAdapter(REQUEST);
}

/**
 * Makes the adapter of Dawn the one that tfjs finds.
 *
 * @param webgpu - the npm package.
 * @param acceptsSoftware - whether an adapter that computes on the processor will do.
 * @throws {BackendError} when no acceptable adapter is there.
 */
export async function provideAdapter(
  webgpu: WebgpuPackage,
  acceptsSoftware: boolean,
): Promise<void> {
  const adapter = await requestAdapter(webgpu);
  if (adapter === null) throw noHardwareError('none at all');
  if (isSoftwareAdapter(adapter) && !acceptsSoftware) {
    throw noHardwareError(`only ${adapter.info?.device ?? 'a software one'}`);
  }
  Object.assign(globalThis, webgpu.globals);
  const navigator = (globalThis as { navigator?: object }).navigator ?? {};
  Object.defineProperty(navigator, 'gpu', { value: sharedGpu(webgpu), configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}

/** Guards the running backend; tfjs must have made it already. */
export function guardWebgpu(): void {
  guardDevice(tf.backend() as unknown as WebgpuBackend);
}
