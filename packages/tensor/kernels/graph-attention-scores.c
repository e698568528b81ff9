// Gradients of the scores of graph attention.
#include "attention-scores.h"

// Products of x with two rows of g.
INLINE void dot_pair(const float *x, const float *g0, const float *g1, int width, float *out) {
  f4 a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0};
  int d = 0;
  for (; d + 8 <= width; d += 8) {
    const f4 x0 = load4(x + d), x1 = load4(x + d + 4);
    a0 = madd4(x0, load4(g0 + d), a0);
    b0 = madd4(x0, load4(g1 + d), b0);
    a1 = madd4(x1, load4(g0 + d + 4), a1);
    b1 = madd4(x1, load4(g1 + d + 4), b1);
  }
  for (; d + 4 <= width; d += 4) {
    const f4 x0 = load4(x + d);
    a0 = madd4(x0, load4(g0 + d), a0);
    b0 = madd4(x0, load4(g1 + d), b0);
  }
  float first = sum4(a0 + a1), second = sum4(b0 + b1);
  for (; d < width; d++) {
    first += x[d] * g0[d];
    second += x[d] * g1[d];
  }
  out[0] = first;
  out[1] = second;
}

// out[e, k] = g_k . x_(columns_e) for a row's entries, four of them at a time: their rows are far
// apart in memory, and so are fetched together.
NOINLINE static void entry_dots(Entries e, int width, int heads, const float *g, const float *x,
                                float *out) {
  for (int k = 0; k < heads; k++, g += width) {
    const float *h = k + 1 < heads ? g + width : 0;
    int i = e.start;
    float *to = out + k;
    for (; i + 4 <= e.end; i += 4, to += 4 * (size_t)heads) {
      const Rows rows = rows_of(x, e.columns + i, width);
      if (h) dots_4x2(&rows, g, h, width, to, heads);
      else dots_4x1(&rows, g, width, to, heads);
    }
    for (; i < e.end; i++, to += heads) {
      const float *row = x + (size_t)e.columns[i] * width;
      if (h) dot_pair(row, g, h, width, to);
      else *to = dot(row, g, width);
    }
    if (h) k++, g += width;
  }
}

// Without head weights all heads share one product.
NOINLINE static void shared_dots(Entries e, int width, int heads, const float *dy, const float *x,
                                 float *out) {
  const float scale = 1.0f / (float)heads;
  entry_dots(e, width, 1, dy, x, out);
  for (int i = e.end - e.start - 1; i >= 0; i--) {
    const float value = out[i] * scale;
    for (int k = 0; k < heads; k++) out[(size_t)i * heads + k] = value;
  }
}

// Turns gradients of a row's coefficients into gradients of its scores, and sums them.
static void softmax_backward(Entries e, int heads, const Scores *s, int row, float *gradient,
                             float *score_gradient) {
  for (int k = 0; k < heads; k++) {
    const float *a = e.values + (size_t)e.start * heads + k;
    float mean = 0, total = 0;
    for (int i = 0; i < e.end - e.start; i++)
      mean += a[(size_t)i * heads] * gradient[(size_t)i * heads + k];
    for (int i = 0; i < e.end - e.start; i++) {
      const float sum = score_sum(s, heads, k, row, e.columns[e.start + i]);
      float *g = gradient + (size_t)i * heads + k;
      *g = a[(size_t)i * heads] * (*g - mean) * slope(s, sum);
      total += *g;
    }
    score_gradient[2 * k] = total;
  }
}

// What the backward pass over rows reads.
typedef struct {
  int width, heads;
  const float *weights, *x;
  float *g;
} Backward;

static void row_dots(const Backward *b, Entries e, const float *dy, float *out) {
  if (!b->weights) {
    shared_dots(e, b->width, b->heads, dy, b->x, out);
    return;
  }
  for (int k = 0; k < b->heads; k++)
    for (int d = 0; d < b->width; d++)
      b->g[k * b->width + d] = dy[d] * b->weights[k * b->width + d];
  entry_dots(e, b->width, b->heads, b->g, b->x, out);
}

// Gradients of the entries' scores, [E, K], and of the receiving nodes' part of them, which goes
// to `score_gradient` [N, K, 2].
// weights carry the 1 / K of the mean, or are 0; scratch holds K * width floats.
EXPORT(attention_scores_backward)
void attention_scores_backward(int begin, int end, float *scratch, int width, int heads,
                               const int32_t *pointers, const int32_t *columns,
                               const float *scores, float positive, float negative,
                               const float *coefficients, const float *weights, const float *x,
                               const float *dy, float *score_gradient, float *entry_gradient) {
  const Scores s = {scores, positive, negative};
  const Backward b = {width, heads, weights, x, scratch};
  for (int i = begin; i < end; i++) {
    const Entries e = {pointers[i], pointers[i + 1], columns, coefficients};
    float *gradient = entry_gradient + (size_t)e.start * heads;
    row_dots(&b, e, dy + (size_t)i * width, gradient);
    softmax_backward(e, heads, &s, i, gradient, score_gradient + (size_t)i * 2 * heads);
  }
}
