// Softmax and log-softmax of rows, forward and backward; the definitions are in ../softmax.c.
// A row is read again from the cache rather than kept in registers, so that any width will do.
#include "launchers.h"
#include "reduce.cuh"

// Largest value of a row, and the sum of the exponentials of the differences to it.
struct RowSum {
  float top, sum;
};

template <int N, int THREADS> __device__ RowSum row_exponentials(int width, const float *x) {
  float top = -INFINITY, sum = 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) top = fmaxf(top, values.at[i]);
  }
  top = row_max<THREADS>(top);
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) sum += exponential_or_zero(values.at[i] - top);
  }
  return {top, row_sum<THREADS>(sum)};
}

template <int N, int THREADS, bool IS_LOG>
__global__ void softmax_forward(int count, int width, const float *x, float *out) {
  const size_t row = row_of_thread();
  if (row >= count) return;
  x += row * width;
  const RowSum of = row_exponentials<N, THREADS>(width, x);
  const float scale = IS_LOG ? logf(of.sum) : 1 / of.sum;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) {
      const float shifted = values.at[i] - of.top;
      values.at[i] = IS_LOG ? shifted - scale : exponential_or_zero(shifted) * scale;
    }
    store(out + row * width + d, values);
  }
}

// dx = y (dy - sum(dy y)), or dx = dy - exp(y) sum(dy) for the logarithm.
template <int N, int THREADS, bool IS_LOG>
__global__ void softmax_backward(int count, int width, const float *dy, const float *y, float *dx) {
  const size_t row = row_of_thread();
  if (row >= count) return;
  dy += row * width, y += row * width;
  float along = 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> gradient = load<N>(dy + d), value = load<N>(y + d);
    for (int i = 0; i < N; i++) along += IS_LOG ? gradient.at[i] : gradient.at[i] * value.at[i];
  }
  along = row_sum<THREADS>(along);
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> gradient = load<N>(dy + d), value = load<N>(y + d);
    Pack<N> result;
    for (int i = 0; i < N; i++)
      result.at[i] = IS_LOG ? gradient.at[i] - exponential_or_zero(value.at[i]) * along
                            : value.at[i] * (gradient.at[i] - along);
    store(dx + row * width + d, result);
  }
}

template <bool IS_LOG>
static int forward(void *stream, int count, int width, const float *x, float *out) {
  const bool four = are_aligned(x, out);
  return with_row_threads(count, width, four, [&](auto n, auto t, dim3 blocks, dim3 threads) {
    constexpr int N = decltype(n)::value, THREADS = decltype(t)::value;
    return launch(stream, blocks, threads, softmax_forward<N, THREADS, IS_LOG>, count, width, x,
                  out);
  });
}

template <bool IS_LOG>
static int backward(void *stream, int count, int width, const float *dy, const float *y,
                    float *dx) {
  const bool four = are_aligned(dy, y, dx);
  return with_row_threads(count, width, four, [&](auto n, auto t, dim3 blocks, dim3 threads) {
    constexpr int N = decltype(n)::value, THREADS = decltype(t)::value;
    return launch(stream, blocks, threads, softmax_backward<N, THREADS, IS_LOG>, count, width, dy,
                  y, dx);
  });
}

int lab_cuda_softmax_rows(void *stream, int count, int width, const float *x, float *out) {
  return forward<false>(stream, count, width, x, out);
}

int lab_cuda_log_softmax_rows(void *stream, int count, int width, const float *x, float *out) {
  return forward<true>(stream, count, width, x, out);
}

int lab_cuda_softmax_rows_backward(void *stream, int count, int width, const float *dy,
                                   const float *y, float *dx) {
  return backward<false>(stream, count, width, dy, y, dx);
}

int lab_cuda_log_softmax_rows_backward(void *stream, int count, int width, const float *dy,
                                       const float *y, float *dx) {
  return backward<true>(stream, count, width, dy, y, dx);
}
