// Reductions over segments given by an id per row; rows with a negative id belong to none.
#include "exponential.h"
#include "vector.h"

INLINE void add_row(float *to, const float *from, int width) {
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, load4(to + d) + load4(from + d));
  for (; d < width; d++) to[d] += from[d];
}

// out[s] = sum of the rows of x whose id is s.
EXPORT(segment_sum)
void segment_sum(int rows, int width, int segments, const float *x, const int32_t *ids,
                 float *out) {
  __builtin_memset(out, 0, (size_t)segments * width * sizeof(float));
  for (int e = 0; e < rows; e++)
    if (ids[e] >= 0) add_row(out + (size_t)ids[e] * width, x + (size_t)e * width, width);
}

// out[s, d] = largest x[e, d] of the segment (0 when empty), at[s, d] = its first row (or -1).
EXPORT(segment_max)
void segment_max(int rows, int width, int segments, const float *x, const int32_t *ids, float *out,
                 int32_t *at) {
  const size_t count = (size_t)segments * width;
  for (size_t i = 0; i < count; i++) at[i] = -1;
  __builtin_memset(out, 0, count * sizeof(float));
  for (int e = 0; e < rows; e++)
    for (int d = 0; d < width; d++) {
      const size_t to = (size_t)ids[e] * width + d;
      const float value = x[(size_t)e * width + d];
      if (at[to] >= 0 && !(value > out[to])) continue;
      out[to] = value;
      at[to] = e;
    }
}

// dx: dy put where `at` says, zeros elsewhere.
EXPORT(segment_max_backward)
void segment_max_backward(int rows, int width, int segments, const float *dy, const int32_t *at,
                          float *dx) {
  __builtin_memset(dx, 0, (size_t)rows * width * sizeof(float));
  for (int s = 0; s < segments; s++)
    for (int d = 0; d < width; d++, dy++, at++)
      if (*at >= 0) dx[(size_t)*at * width + d] += *dy;
}

static void exponentials(int count, const float *x, const int32_t *ids, const float *shift,
                         float *out) {
  int e = 0;
  for (; e + 4 <= count; e += 4) {
    const f4 m = {shift[ids[e]], shift[ids[e + 1]], shift[ids[e + 2]], shift[ids[e + 3]]};
    store4(out + e, exp4(load4(x + e) - m));
  }
  for (; e < count; e++) out[e] = exp4(splat4(x[e] - shift[ids[e]]))[0];
}

// out[e] = exp(x_e - m) / sum of the same over the segment; scratch holds `segments` floats.
EXPORT(segment_softmax)
void segment_softmax(int rows, int segments, const float *x, const int32_t *ids, float *out,
                     float *scratch) {
  for (int s = 0; s < segments; s++) scratch[s] = -__builtin_inff();
  for (int e = 0; e < rows; e++) scratch[ids[e]] = max1(scratch[ids[e]], x[e]);
  exponentials(rows, x, ids, scratch, out);
  __builtin_memset(scratch, 0, (size_t)segments * sizeof(float));
  for (int e = 0; e < rows; e++) scratch[ids[e]] += out[e];
  for (int e = 0; e < rows; e++) out[e] /= scratch[ids[e]];
}

// dx_e = y_e (dy_e - sum over the segment of y dy); scratch holds `segments` floats.
EXPORT(segment_softmax_backward)
void segment_softmax_backward(int rows, int segments, const float *y, const float *dy,
                              const int32_t *ids, float *dx, float *scratch) {
  __builtin_memset(scratch, 0, (size_t)segments * sizeof(float));
  for (int e = 0; e < rows; e++) scratch[ids[e]] += y[e] * dy[e];
  for (int e = 0; e < rows; e++) dx[e] = y[e] * (dy[e] - scratch[ids[e]]);
}
