// Rows in the order of their segments; the definition is in ../segment.c. Rows are counted, placed
// in any order, and sorted inside their segment, which makes the result the stable order. Only
// whole numbers are added by atomics, so that it does not depend on who comes first.
#include "launchers.h"
#include "reduce.cuh"

__global__ void count_rows(int rows, const int32_t *ids, int32_t *starts) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e < rows && ids[e] >= 0) atomicAdd(&starts[ids[e] + 1], 1);
}

constexpr int SCAN_THREADS = 1024;

// The sum of the values of the threads before this one, and of all in `total`.
__device__ static int sum_before(int value, int *total) {
  __shared__ int sums[SCAN_THREADS / WARP];
  const int warp = (int)threadIdx.x / WARP, lane = lane_of_thread();
  int sum = value;
  for (int step = 1; step < WARP; step *= 2) {
    const int other = __shfl_up_sync(0xffffffff, sum, step);
    if (lane >= step) sum += other;
  }
  __syncthreads();
  if (lane == WARP - 1) sums[warp] = sum;
  __syncthreads();
  int before = sum - value;
  *total = 0;
  for (int w = 0; w < (int)blockDim.x / WARP; w++) {
    if (w < warp) before += sums[w];
    *total += sums[w];
  }
  return before;
}

// starts[s + 1] becomes the place of the first row of segment s, where its next row goes.
__global__ void __launch_bounds__(SCAN_THREADS) place_segments(int segments, int32_t *starts) {
  int before = 0;
  for (int first = 0; first < segments; first += SCAN_THREADS) {
    const int s = first + (int)threadIdx.x;
    const int count = s < segments ? starts[s + 1] : 0;
    int total;
    const int place = before + sum_before(count, &total);
    if (s < segments) starts[s + 1] = place;
    before += total;
  }
}

// Afterwards starts[s + 1] is the end of segment s.
__global__ void place_rows(int rows, const int32_t *ids, int32_t *starts, int32_t *order) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e < rows && ids[e] >= 0) order[atomicAdd(&starts[ids[e] + 1], 1)] = (int32_t)e;
}

constexpr int SORT_THREADS = 64;
// Rows of a segment that are sorted by counting the smaller ones; of more rows there are few
// segments, for which all ids are read once more.
constexpr int MOST_SORTED = 1024;

__device__ static void sort_rows(int count, int32_t *order) {
  __shared__ int32_t rows[MOST_SORTED];
  for (int i = (int)threadIdx.x; i < count; i += SORT_THREADS) rows[i] = order[i];
  __syncthreads();
  for (int i = (int)threadIdx.x; i < count; i += SORT_THREADS) {
    int place = 0;
    for (int j = 0; j < count; j++) place += rows[j] < rows[i];
    order[place] = rows[i];
  }
}

__device__ static void collect_again(int segment, int rows, const int32_t *ids, int32_t *order) {
  for (int first = 0; first < rows; first += SORT_THREADS) {
    const int e = first + (int)threadIdx.x;
    const int is_here = e < rows && ids[e] == segment;
    int total;
    const int place = sum_before(is_here, &total);
    if (is_here) order[place] = e;
    order += total;
  }
}

__global__ void sort_segments(int rows, const int32_t *ids, const int32_t *starts,
                              int32_t *order) {
  const int first = starts[blockIdx.x], count = starts[blockIdx.x + 1] - first;
  if (count > MOST_SORTED) collect_again((int)blockIdx.x, rows, ids, order + first);
  else if (count > 1) sort_rows(count, order + first);
}

int lab_cuda_segment_order(void *stream, int rows, int segments, const int32_t *ids,
                           int32_t *starts, int32_t *order) {
  const size_t bytes = ((size_t)segments + 1) * sizeof(int32_t);
  int error = (int)cudaMemsetAsync(starts, 0, bytes, (cudaStream_t)stream);
  if (error != 0 || rows == 0 || segments == 0) return error;
  const int blocks = ceiling(rows, BLOCK_THREADS);
  error = launch(stream, blocks, BLOCK_THREADS, count_rows, rows, ids, starts);
  if (error == 0) error = launch(stream, 1, SCAN_THREADS, place_segments, segments, starts);
  if (error == 0)
    error = launch(stream, blocks, BLOCK_THREADS, place_rows, rows, ids, starts, order);
  if (error != 0) return error;
  return launch(stream, segments, SORT_THREADS, sort_segments, rows, ids, starts, order);
}
