import { codePaths as common } from './speed.mjs';

export const name = 'tensor-speed-tensorflow';
export const summary = 'Operations on the backend tensorflow beside PyTorch, gates';
export const command = [
  ...['node', 'packages/tensor/bench/gates.mjs', '--backend', 'tensorflow', '--python', 'python3'],
];
export const codePaths = common;
