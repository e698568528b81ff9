// Rows brought to unit length, to mean 0 and variance 1, or divided by their root mean square; the
// definitions are in ../row-norms.c and ../rms-norm.c.
#include "launchers.h"
#include "reduce.cuh"

// Sum of a * b over a row, in every thread of the row.
template <int N, int THREADS>
__device__ float row_dot(int width, const float *a, const float *b) {
  float sum = 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS)
    sum += dot(load<N>(a + d), load<N>(b + d));
  return row_sum<THREADS>(sum);
}

template <int N, int THREADS>
__global__ void unit_rows(int count, int width, const float *x, float epsilon, float *out,
                          float *divisors) {
  const size_t row = row_of_thread();
  if (row >= count) return;
  x += row * width;
  // A length that is NaN is not above epsilon either.
  const float length = sqrtf(row_dot<N, THREADS>(width, x, x));
  const float divisor = length > epsilon ? length : epsilon, scale = 1 / divisor;
  if (threadIdx.x == 0) divisors[row] = divisor;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) values.at[i] *= scale;
    store(out + row * width + d, values);
  }
}

int lab_cuda_normalize_rows(void *stream, int count, int width, const float *x, float epsilon,
                            float *out, float *divisors) {
  const bool four = are_aligned(x, out);
  return with_row_threads(count, width, four, [&](auto n, auto t, dim3 blocks, dim3 threads) {
    constexpr int N = decltype(n)::value, THREADS = decltype(t)::value;
    return launch(stream, blocks, threads, unit_rows<N, THREADS>, count, width, x, epsilon, out,
                  divisors);
  });
}

template <int N, int THREADS>
__global__ void unit_rows_backward(int count, int width, const float *y, const float *divisors,
                                   const float *dy, float epsilon, float *dx) {
  const size_t row = row_of_thread();
  if (row >= count) return;
  y += row * width, dy += row * width;
  const float divisor = divisors[row], scale = 1 / divisor;
  const float along = divisor > epsilon ? row_dot<N, THREADS>(width, y, dy) : 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> value = load<N>(y + d);
    Pack<N> result = load<N>(dy + d);
    for (int i = 0; i < N; i++) result.at[i] = (result.at[i] - value.at[i] * along) * scale;
    store(dx + row * width + d, result);
  }
}

int lab_cuda_normalize_rows_backward(void *stream, int count, int width, const float *y,
                                     const float *divisors, const float *dy, float epsilon,
                                     float *dx) {
  const bool four = are_aligned(y, dy, dx);
  return with_row_threads(count, width, four, [&](auto n, auto t, dim3 blocks, dim3 threads) {
    constexpr int N = decltype(n)::value, THREADS = decltype(t)::value;
    return launch(stream, blocks, threads, unit_rows_backward<N, THREADS>, count, width, y,
                  divisors, dy, epsilon, dx);
  });
}

// out = (x - mean) / sqrt(variance + epsilon) * gain + bias; without IS_CENTRED mean and bias are
// left out: the root mean square.
template <int N, int THREADS, bool IS_CENTRED>
__global__ void standard_rows(int count, int width, const float *x, const float *gain,
                              const float *bias, float epsilon, float *out) {
  const size_t row = row_of_thread();
  if (row >= count) return;
  x += row * width;
  float sum = 0, square = 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; IS_CENTRED && d < width; d += N * THREADS) {
    const Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) sum += values.at[i];
  }
  const float mean = IS_CENTRED ? row_sum<THREADS>(sum) / (float)width : 0;
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++) square += (values.at[i] - mean) * (values.at[i] - mean);
  }
  const float scale = 1 / sqrtf(row_sum<THREADS>(square) / (float)width + epsilon);
#pragma unroll 4
  for (int d = N * (int)threadIdx.x; d < width; d += N * THREADS) {
    const Pack<N> gains = load<N>(gain + d), biases = IS_CENTRED ? load<N>(bias + d) : zeros<N>();
    Pack<N> values = load<N>(x + d);
    for (int i = 0; i < N; i++)
      values.at[i] = (values.at[i] - mean) * scale * gains.at[i] + biases.at[i];
    store(out + row * width + d, values);
  }
}

template <bool IS_CENTRED>
static int standardize(void *stream, int count, int width, const float *x, const float *gain,
                       const float *bias, float epsilon, float *out) {
  const bool four = are_aligned(x, gain, bias, out);
  return with_row_threads(count, width, four, [&](auto n, auto t, dim3 blocks, dim3 threads) {
    constexpr int N = decltype(n)::value, THREADS = decltype(t)::value;
    return launch(stream, blocks, threads, standard_rows<N, THREADS, IS_CENTRED>, count, width, x,
                  gain, bias, epsilon, out);
  });
}

int lab_cuda_layer_norm(void *stream, int count, int width, const float *x, const float *gain,
                        const float *bias, float epsilon, float *out) {
  return standardize<true>(stream, count, width, x, gain, bias, epsilon, out);
}

int lab_cuda_rms_norm(void *stream, int count, int width, const float *x, const float *gain,
                      float epsilon, float *out) {
  return standardize<false>(stream, count, width, x, gain, nullptr, epsilon, out);
}
