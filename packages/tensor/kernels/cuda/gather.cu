// Rows by index, and the check of an index array; the definitions are in ../gather.c.
#include "launchers.h"
#include "launch.cuh"

template <int N>
__global__ void gather_rows(size_t items, const float *x, int rows, int width,
                            const int32_t *indices, int count, float *out) {
  const size_t item = row_of_thread();
  const int column = column_of_thread<N>();
  if (item >= items || column >= width) return;
  const size_t outer = item / count;
  const int index = indices[item - outer * count];
  const float *from = x + (outer * rows + index) * width + column;
  store(out + item * width + column, index < 0 ? zeros<N>() : load<N>(from));
}

int lab_cuda_gather_row_blocks(void *stream, int count, const float *x, int rows, int width,
                               const int32_t *indices, int index_count, float *out) {
  return with_vectors(width % 4 == 0 && are_aligned(x, out), [&](auto n) {
    constexpr int N = decltype(n)::value;
    const Grid grid = grid_of_rows(count, width, N);
    return launch(stream, grid.blocks, grid.threads, gather_rows<N>, count, x, rows, width,
                  indices, index_count, out);
  });
}

// As an unsigned number the -1 of "none" is above every position.
__global__ void find_outside(int count, const int32_t *indices, int low, uint32_t width,
                             unsigned *position) {
  const size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count && (uint32_t)indices[i] - (uint32_t)low >= width) atomicMin(position, (unsigned)i);
}

int lab_cuda_find_outside(void *stream, int count, const int32_t *indices, int low, int high,
                          int *position) {
  const cudaError_t error = cudaMemsetAsync(position, 0xff, sizeof(int), (cudaStream_t)stream);
  if (error != cudaSuccess) return (int)error;
  return launch(stream, ceiling(count, BLOCK_THREADS), BLOCK_THREADS, find_outside, count, indices,
                low, (uint32_t)high - (uint32_t)low, (unsigned *)position);
}
