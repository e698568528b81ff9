// One value a row: sums, largest values and the softmax inside segments; the definitions are in
// ../segment.c.
#include "launchers.h"
#include "reduce.cuh"

// What a sum over the rows of a segment adds up: one column of a matrix, or products of two arrays.
struct ColumnValue {
  const float *x;
  int width;
  __device__ float operator()(size_t row, int column) const { return x[row * width + column]; }
};

struct ProductValue {
  const float *a, *b;
  __device__ float operator()(size_t row, int) const { return a[row] * b[row]; }
};

// A warp has one column of one segment.
template <class Value>
__global__ void sum_segments(size_t items, int width, const int32_t *starts, const int32_t *order,
                             Value value, float *out) {
  const size_t item = item_of_warp(), segment = item / width;
  if (item >= items) return;
  float sum = 0;
#pragma unroll 4
  for (int i = starts[segment] + lane_of_thread(); i < starts[segment + 1]; i += WARP)
    sum += value(order[i], (int)(item - segment * width));
  sum = warp_sum(sum);
  if (lane_of_thread() == 0) out[item] = sum;
}

// Sums of floats in a fixed order need the rows in the order of their segments, for which there is
// no room among the arguments: it is taken from the stream's pool for the time of the launch.
template <class Value>
static int sum_by_order(void *stream, int rows, int width, int segments, const int32_t *ids,
                        Value value, float *out) {
  const size_t items = (size_t)segments * width;
  if (items == 0) return 0;
  int32_t *starts = nullptr;
  const size_t bytes = ((size_t)segments + 1 + rows) * sizeof(int32_t);
  int error = (int)cudaMallocAsync((void **)&starts, bytes, (cudaStream_t)stream);
  if (error != 0) return error;
  int32_t *order = starts + segments + 1;
  error = lab_cuda_segment_order(stream, rows, segments, ids, starts, order);
  if (error == 0)
    error = launch(stream, blocks_of_warps(items), BLOCK_THREADS, sum_segments<Value>, items,
                   width, starts, order, value, out);
  const int freed = (int)cudaFreeAsync(starts, (cudaStream_t)stream);
  return error != 0 ? error : freed;
}

int lab_cuda_segment_sum(void *stream, int rows, int width, int segments, const float *x,
                         const int32_t *ids, float *out) {
  return sum_by_order(stream, rows, width, segments, ids, ColumnValue{x, width}, out);
}

int lab_cuda_segment_dots(void *stream, int rows, int segments, const float *a, const float *b,
                          const int32_t *ids, float *dots) {
  return sum_by_order(stream, rows, 1, segments, ids, ProductValue{a, b}, dots);
}

__global__ void count_segments(int rows, const int32_t *ids, int *counts) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e < rows) atomicAdd(&counts[ids[e]], 1);
}

__global__ void shares_of_counts(int segments, float *shares) {
  const size_t s = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (s >= segments) return;
  const int count = __float_as_int(shares[s]);
  shares[s] = count > 0 ? 1 / (float)count : 0;
}

// The counts stand, as whole numbers, where their shares will be.
int lab_cuda_segment_shares(void *stream, int rows, int segments, const int32_t *ids,
                            float *shares) {
  const size_t bytes = (size_t)segments * sizeof(float);
  int error = (int)cudaMemsetAsync(shares, 0, bytes, (cudaStream_t)stream);
  if (error == 0)
    error = launch(stream, ceiling(rows, BLOCK_THREADS), BLOCK_THREADS, count_segments, rows, ids,
                   (int *)shares);
  if (error != 0) return error;
  return launch(stream, ceiling(segments, BLOCK_THREADS), BLOCK_THREADS, shares_of_counts,
                segments, shares);
}

// Floats as whole numbers of the same order, and back; NaN, without its sign, is above all.
__device__ static int rank_of(float x) {
  const int bits = x != x ? 0x7fffffff : __float_as_int(x);
  return bits < 0 ? bits ^ 0x7fffffff : bits;
}

__device__ static float of_rank(int rank) {
  return __int_as_float(rank < 0 ? rank ^ 0x7fffffff : rank);
}

__global__ void start_largest(int segments, int *ranks) {
  const size_t s = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (s < segments) ranks[s] = rank_of(-INFINITY);
}

__global__ void raise_largest(int rows, const float *x, const int32_t *ids, int *ranks) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e < rows) atomicMax(&ranks[ids[e]], rank_of(x[e]));
}

__global__ void values_of_ranks(int segments, float *largest) {
  const size_t s = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (s < segments) largest[s] = of_rank(__float_as_int(largest[s]));
}

// A segment with NaN in it has NaN here, where the C form has it only when NaN comes last: the
// softmax of such a segment is NaN both ways.
int lab_cuda_segment_largest(void *stream, int rows, int segments, const float *x,
                             const int32_t *ids, float *largest) {
  const int blocks = ceiling(segments, BLOCK_THREADS);
  int error = launch(stream, blocks, BLOCK_THREADS, start_largest, segments, (int *)largest);
  if (error == 0)
    error = launch(stream, ceiling(rows, BLOCK_THREADS), BLOCK_THREADS, raise_largest, rows, x,
                   ids, (int *)largest);
  if (error != 0) return error;
  return launch(stream, blocks, BLOCK_THREADS, values_of_ranks, segments, largest);
}

struct Exponentials {
  const float *x;
  const int32_t *ids;
  const float *largest;
  float *out;

  template <int N> __device__ void at(size_t i) const {
    Pack<N> values = load<N>(x + i);
    for (int lane = 0; lane < N; lane++)
      values.at[lane] = exponential(values.at[lane] - largest[ids[i + lane]]);
    store(out + i, values);
  }
};

int lab_cuda_segment_exponentials(void *stream, int count, const float *x, const int32_t *ids,
                                  const float *largest, float *out) {
  return launch_items(stream, count, are_aligned(x, out), Exponentials{x, ids, largest, out});
}

struct Quotients {
  const int32_t *ids;
  const float *sums;
  float *out;

  template <int N> __device__ void at(size_t i) const {
    Pack<N> values = load<N>(out + i);
    for (int lane = 0; lane < N; lane++) values.at[lane] /= sums[ids[i + lane]];
    store(out + i, values);
  }
};

int lab_cuda_segment_divide(void *stream, int count, const int32_t *ids, const float *sums,
                            float *out) {
  return launch_items(stream, count, are_aligned(out), Quotients{ids, sums, out});
}

struct SoftmaxGradients {
  const float *y, *dy;
  const int32_t *ids;
  const float *dots;
  float *dx;

  template <int N> __device__ void at(size_t i) const {
    const Pack<N> value = load<N>(y + i);
    Pack<N> gradient = load<N>(dy + i);
    for (int lane = 0; lane < N; lane++)
      gradient.at[lane] = value.at[lane] * (gradient.at[lane] - dots[ids[i + lane]]);
    store(dx + i, gradient);
  }
};

int lab_cuda_segment_softmax_backward(void *stream, int count, const float *y, const float *dy,
                                      const int32_t *ids, const float *dots, float *dx) {
  const SoftmaxGradients gradients = {y, dy, ids, dots, dx};
  return launch_items(stream, count, are_aligned(y, dy, dx), gradients);
}
