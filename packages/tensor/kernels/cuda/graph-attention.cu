// Attention over neighbours; the definitions are in ../graph-attention.c.
#include "attention-scores.cuh"
#include "launchers.h"

__global__ void attention_coefficients(size_t items, Pattern pattern, Scores scores, float *out) {
  if (item_of_warp() >= items) return;
  const int heads = scores.heads;
  const HeadItem item = head_item(item_of_warp(), heads, pattern.pointers);
  float *to = out + item.head;
  float largest = -INFINITY, sum = 0;
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP) {
    const float x = scores.sum(item.head, item.row, pattern.columns[e]);
    const float score = scores.slope(x) * x;
    to[(size_t)e * heads] = score;
    largest = fmaxf(largest, score);
  }
  largest = warp_max(largest);
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP) {
    const float share = exponential(to[(size_t)e * heads] - largest);
    to[(size_t)e * heads] = share;
    sum += share;
  }
  const float scale = 1 / warp_sum(sum);
#pragma unroll 4
  for (int e = item.first; e < item.end; e += WARP) to[(size_t)e * heads] *= scale;
}

int lab_cuda_attention_coefficients(void *stream, int count, int heads, const int32_t *pointers,
                                    const int32_t *columns, const float *scores, float positive,
                                    float negative, float *out) {
  const size_t items = (size_t)count * heads;
  return launch(stream, blocks_of_warps(items), BLOCK_THREADS, attention_coefficients, items,
                Pattern{pointers, columns}, Scores{scores, positive, negative, heads}, out);
}

__global__ void attention_head_mean(int count, int heads, const float *x, float *out) {
  const size_t e = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= count) return;
  float sum = 0;
  for (int k = 0; k < heads; k++) sum += x[e * heads + k];
  out[e] = sum * (1.0f / (float)heads);
}

int lab_cuda_attention_head_mean(void *stream, int count, int heads, const float *x, float *out) {
  return launch(stream, ceiling(count, BLOCK_THREADS), BLOCK_THREADS, attention_head_mean, count,
                heads, x, out);
}

// The coefficient of an entry and a head.
struct HeadValues {
  const float *values;
  int heads, first;
  __device__ float operator()(int e, int k) const { return values[(size_t)e * heads + first + k]; }
};

int lab_cuda_attention_collect(void *stream, int count, int width, int heads,
                               const int32_t *pointers, const int32_t *columns,
                               const float *coefficients, const float *x, const float *weights,
                               float *out) {
  const Pattern pattern = {pointers, columns};
  if (!weights)
    return launch_collect(stream, count, width, pattern, EntryValues{coefficients}, x, out);
  return with_head_groups(heads, [&](auto h, int first) {
    constexpr int H = decltype(h)::value;
    return with_vectors(width % 4 == 0 && are_aligned(x, weights, out), [&](auto n) {
      constexpr int N = decltype(n)::value;
      return launch(stream, collect_blocks(count, width, N), collect_threads(width, N),
                    collect_rows<N, H, HeadValues>, width, pattern,
                    HeadValues{coefficients, heads, first}, x, weights + (size_t)first * width,
                    first > 0, out);
    });
  });
}
