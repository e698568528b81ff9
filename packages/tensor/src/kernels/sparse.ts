import { runSingle } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import type { CsrTensors } from '../ops/csr.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel } from './call.js';

/** Rows of one side of a sparse matrix: the matrix itself, or its transpose. */
export interface SparsePattern {
  readonly rowCount: number;
  readonly rowPointers: tf.Tensor1D;
  readonly columns: tf.Tensor1D;
}

/** The transpose as a pattern of its own. */
export function transposed(csr: CsrTensors): SparsePattern {
  const { rowPointers, columns } = csr.transpose;
  return { rowCount: csr.columnCount, rowPointers, columns };
}

/** The rows of a pattern as the items of a kernel that touches `width` values for each entry. */
export function rowWork(pattern: SparsePattern, width: number): { count: number; block: number } {
  const { rowCount, columns } = pattern;
  const entriesPerRow = columns.size / Math.max(rowCount, 1);
  return { count: rowCount, block: blockOf(width * (1 + entriesPerRow)) };
}

/** Entry values in the order of the transpose, at `address`. */
function permuteEntries(
  call: KernelCall,
  csr: CsrTensors,
  { values, address }: { values: number; address: number },
): void {
  const { entryCount: count, transpose } = csr;
  const permutation = call.address(transpose.permutation);
  const work = { kernel: 'gather_row_blocks', count, block: blockOf(6) };
  call.runBlocks(work, values, count, 1, permutation, count, address);
}

/** Pattern times dense; `values` is an address, 0 for all ones. */
export function patternProduct(
  call: KernelCall,
  pattern: SparsePattern,
  { dense, values }: { dense: tf.TensorInfo; values: number },
): tf.TensorInfo {
  const width = dense.shape[1] as number;
  const output = call.output([pattern.rowCount, width]);
  const [pointers = 0, columns = 0] = [pattern.rowPointers, pattern.columns].map(call.address);
  const [x = 0, y = 0] = [dense, output].map(call.address);
  const work = { kernel: 'csr_product', ...rowWork(pattern, width) };
  call.runBlocks(work, width, pointers, columns, values, x, y);
  return output;
}

function product(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  return patternProduct(call, csr, { dense: call.input('dense'), values: 0 });
}

function weightedProduct(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  const values = call.address(call.input('values'));
  return patternProduct(call, csr, { dense: call.input('dense'), values });
}

function transposeProduct(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  return patternProduct(call, transposed(csr), { dense: call.input('dy'), values: 0 });
}

function weightedTransposeProduct(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  const values = call.address(call.input('values'));
  return call.temporary(csr.entryCount * NUMBER_BYTES, (address) => {
    permuteEntries(call, csr, { values, address });
    return patternProduct(call, transposed(csr), { dense: call.input('dy'), values: address });
  });
}

function valueGradient(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  const dense = call.input('dense');
  const output = call.output([csr.entryCount]);
  const tensors = [csr.rowPointers, csr.columns, call.input('dy'), dense, output];
  const width = dense.shape[1] as number;
  const work = rowWork(csr, width);
  call.runBlocks({ kernel: 'csr_sampled_dot', ...work }, width, ...tensors.map(call.address));
  return output;
}

function weightedRule({ dy, saved, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const [dense, values] = saved as [tf.Tensor, tf.Tensor];
  const csr = attribute<CsrTensors>('csr');
  return {
    dense: () => runSingle('LabCsrTransposeWeighted', { dy, values }, { csr }),
    values: () => runSingle('LabCsrValueGradient', { dy, dense }, { csr }),
  };
}

/** Registers the products of sparse and dense matrices and their gradients. */
export function installSparse(): void {
  registerOwnKernel({ name: 'LabCsrMatMul', compute: product });
  registerOwnKernel({ name: 'LabCsrMatMulWeighted', compute: weightedProduct });
  registerOwnKernel({ name: 'LabCsrTranspose', compute: transposeProduct });
  registerOwnKernel({ name: 'LabCsrTransposeWeighted', compute: weightedTransposeProduct });
  registerOwnKernel({ name: 'LabCsrValueGradient', compute: valueGradient });
  registerRule({
    kernelName: 'LabCsrMatMul',
    rule: ({ dy, attribute }) => ({
      dense: () => runSingle('LabCsrTranspose', { dy }, { csr: attribute('csr') }),
    }),
  });
  registerRule({
    kernelName: 'LabCsrMatMulWeighted',
    inputs: ['dense', 'values'],
    rule: weightedRule,
  });
}
