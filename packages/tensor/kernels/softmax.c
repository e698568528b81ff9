// Softmax and log-softmax of rows, forward and backward.
#include "softmax.h"

// Largest value of a row, NaN left out: the exponentials bring it back.
static float row_top(int width, const float *x) {
  f4 t0 = splat4(-__builtin_inff()), t1 = t0;
  int d = 0;
  for (; d + 8 <= width; d += 8) {
    t0 = max4(t0, load4(x + d));
    t1 = max4(t1, load4(x + d + 4));
  }
  float top = highest4(max4(t0, t1));
  for (; d < width; d++) top = x[d] > top ? x[d] : top;
  return top;
}

// out = exp(x - top), where out is given; returns the sum.
INLINE float row_exponentials(int width, const float *x, float top, float *out) {
  f4 s0 = {0}, s1 = {0};
  const f4 t = splat4(top);
  int d = 0;
  for (; d + 8 <= width; d += 8) {
    const f4 e0 = exp_or_zero4(load4(x + d) - t), e1 = exp_or_zero4(load4(x + d + 4) - t);
    s0 += e0;
    s1 += e1;
    if (out) store4(out + d, e0), store4(out + d + 4, e1);
  }
  float sum = sum4(s0 + s1);
  for (; d < width; d++) {
    const float e = exp_or_zero1(x[d] - top);
    sum += e;
    if (out) out[d] = e;
  }
  return sum;
}

INLINE void row_times(int width, float factor, float *x) {
  const f4 f = splat4(factor);
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(x + d, load4(x + d) * f);
  for (; d < width; d++) x[d] *= factor;
}

// A row of nothing but minus infinity, or with plus infinity or NaN in it, becomes NaN.
EXPORT(softmax_rows)
void softmax_rows(int begin, int end, const float *scratch, int width, const float *x, float *out) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    const float sum = row_exponentials(width, x, row_top(width, x), out);
    row_times(width, 1 / sum, out);
  }
}

// out = (x - top) - log(sum), in this order, which keeps the digits of rows far from 0.
EXPORT(log_softmax_rows)
void log_softmax_rows(int begin, int end, const float *scratch, int width, const float *x,
                      float *out) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    const float top = row_top(width, x);
    const float log_sum = log1(row_exponentials(width, x, top, 0));
    const f4 t = splat4(top), s = splat4(log_sum);
    int d = 0;
    for (; d + 4 <= width; d += 4) store4(out + d, load4(x + d) - t - s);
    for (; d < width; d++) out[d] = x[d] - top - log_sum;
  }
}

INLINE float row_dot(int width, const float *a, const float *b) {
  f4 s0 = {0}, s1 = {0};
  int d = 0;
  for (; d + 8 <= width; d += 8) {
    s0 = madd4(load4(a + d), load4(b + d), s0);
    s1 = madd4(load4(a + d + 4), load4(b + d + 4), s1);
  }
  float sum = sum4(s0 + s1);
  for (; d < width; d++) sum += a[d] * b[d];
  return sum;
}

// dx = y (dy - sum(dy y)).
EXPORT(softmax_rows_backward)
void softmax_rows_backward(int begin, int end, const float *scratch, int width, const float *dy,
                           const float *y, float *dx) {
  (void)scratch;
  const size_t start = (size_t)begin * width;
  dy += start, y += start, dx += start;
  for (int n = begin; n < end; n++, dy += width, y += width, dx += width) {
    const float along = row_dot(width, dy, y);
    const f4 a = splat4(along);
    int d = 0;
    for (; d + 4 <= width; d += 4) store4(dx + d, load4(y + d) * (load4(dy + d) - a));
    for (; d < width; d++) dx[d] = y[d] * (dy[d] - along);
  }
}

// dx = dy - exp(y) sum(dy).
EXPORT(log_softmax_rows_backward)
void log_softmax_rows_backward(int begin, int end, const float *scratch, int width,
                               const float *dy, const float *y, float *dx) {
  (void)scratch;
  const size_t start = (size_t)begin * width;
  dy += start, y += start, dx += start;
  for (int n = begin; n < end; n++, dy += width, y += width, dx += width) {
    f4 s0 = {0}, s1 = {0};
    int d = 0;
    for (; d + 8 <= width; d += 8) s0 += load4(dy + d), s1 += load4(dy + d + 4);
    float sum = sum4(s0 + s1);
    for (; d < width; d++) sum += dy[d];
    const f4 s = splat4(sum);
    for (d = 0; d + 4 <= width; d += 4)
      store4(dx + d, load4(dy + d) - exp_or_zero4(load4(y + d)) * s);
    for (; d < width; d++) dx[d] = dy[d] - exp_or_zero1(y[d]) * sum;
  }
}
