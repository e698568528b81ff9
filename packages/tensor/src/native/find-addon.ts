import { type KernelAddon, loadAddon } from './kernel-addon.js';

/** Set to a path, that addon is used; set to `none`, kernels run as wasm. */
const ADDON_SWITCH = 'LAB_TENSOR_ADDON';

/** The addon with our kernels that this machine has, or null. */
export function findAddon(): KernelAddon | null {
  const named = process.env[ADDON_SWITCH];
  if (named === 'none' || named === undefined) return null;
  return loadAddon(named);
}
