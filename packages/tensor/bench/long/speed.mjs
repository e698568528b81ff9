export const name = 'tensor-speed';
export const summary = 'Products, sparse products, graph attention and AdamW beside PyTorch, gates';
export const command = ['node', 'packages/tensor/bench/gates.mjs', '--python', 'python3'];
export const codePaths = [
  'packages/tensor/bench/gates.mjs',
  'packages/tensor/kernels',
  'packages/tensor/src',
];
