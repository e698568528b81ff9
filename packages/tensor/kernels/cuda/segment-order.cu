// Rows in the order of their segments; the definition is in ../segment.c. A stable sort by segment,
// CUDA's own, leaves the rows of each in their order; negative ids go behind all segments.
#include <cub/device/device_radix_sort.cuh>

#include "launch.cuh"
#include "launchers.h"

__global__ void number_rows(int rows, int segments, const int32_t *ids, uint32_t *keys,
                            int32_t *numbers) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= (size_t)rows) return;
  keys[e] = ids[e] < 0 ? (uint32_t)segments : (uint32_t)ids[e];
  numbers[e] = (int32_t)e;
}

// starts[s] = how many keys are below s, of keys in order.
__global__ void find_starts(int rows, int segments, const uint32_t *keys, int32_t *starts) {
  const size_t s = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (s > (size_t)segments) return;
  int low = 0, high = rows;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (keys[middle] < s) low = middle + 1;
    else high = middle;
  }
  starts[s] = low;
}

// Bits of the numbers 0 .. most.
static int bits_of(uint32_t most) {
  int bits = 1;
  while (most >>= 1) bits++;
  return bits;
}

int lab_cuda_segment_order(void *stream, int rows, int segments, const int32_t *ids,
                           int32_t *starts, int32_t *order) {
  const cudaStream_t on = (cudaStream_t)stream;
  const size_t bytes = ((size_t)segments + 1) * sizeof(int32_t);
  if (rows == 0 || segments == 0) return (int)cudaMemsetAsync(starts, 0, bytes, on);
  const int bits = bits_of((uint32_t)segments);
  const size_t lines = ((size_t)rows + 63) / 64 * 64;  // each array on a whole cache line
  size_t scratch_bytes = 0;
  cub::DeviceRadixSort::SortPairs(nullptr, scratch_bytes, (uint32_t *)nullptr,
                                  (uint32_t *)nullptr, (int32_t *)nullptr, order, rows, 0, bits,
                                  on);
  uint32_t *room = nullptr;
  cudaError_t error = cudaMallocAsync((void **)&room, 3 * lines * 4 + scratch_bytes, on);
  if (error != cudaSuccess) return (int)error;
  uint32_t *keys = room, *sorted = room + lines;
  int32_t *numbers = (int32_t *)(room + 2 * lines);
  int failed = launch(stream, ceiling(rows, BLOCK_THREADS), BLOCK_THREADS, number_rows, rows,
                      segments, ids, keys, numbers);
  if (failed == 0)
    failed = (int)cub::DeviceRadixSort::SortPairs(room + 3 * lines, scratch_bytes, keys, sorted,
                                                  numbers, order, rows, 0, bits, on);
  if (failed == 0)
    failed = launch(stream, ceiling((size_t)segments + 1, BLOCK_THREADS), BLOCK_THREADS,
                    find_starts, rows, segments, sorted, starts);
  cudaFreeAsync(room, on);
  return failed;
}
