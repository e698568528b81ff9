// Sums along axes that lie together, and sums in place.
#include "vector.h"

INLINE void add_to(float *to, const float *from, int width) {
  int d = 0;
  for (; d + 16 <= width; d += 16)
    for (int q = 0; q < 16; q += 4) store4(to + d + q, load4(to + d + q) + load4(from + d + q));
  for (; d + 4 <= width; d += 4) store4(to + d, load4(to + d) + load4(from + d));
  for (; d < width; d++) to[d] += from[d];
}

// Sum in blocks of 4096 elements, so that long sums keep their accuracy.
static float sum_row(const float *x, int count) {
  float total = 0;
  for (int start = 0; start < count; start += 4096) {
    const int end = count - start < 4096 ? count : start + 4096;
    f4 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    int i = start;
    for (; i + 16 <= end; i += 16) {
      s0 += load4(x + i);
      s1 += load4(x + i + 4);
      s2 += load4(x + i + 8);
      s3 += load4(x + i + 12);
    }
    float sum = sum4((s0 + s1) + (s2 + s3));
    for (; i < end; i++) sum += x[i];
    total += sum;
  }
  return total;
}

// Adds up `middle` rows in two levels of at most 512, for accuracy; scratch holds `inner` floats.
static void sum_rows(int middle, int inner, const float *x, float *out, float *scratch) {
  __builtin_memset(out, 0, (size_t)inner * sizeof(float));
  for (int start = 0; start < middle; start += 512) {
    const int end = middle - start < 512 ? middle : start + 512;
    __builtin_memset(scratch, 0, (size_t)inner * sizeof(float));
    for (int i = start; i < end; i++) add_to(scratch, x + (size_t)i * inner, inner);
    add_to(out, scratch, inner);
  }
}

// x [outer, middle, inner] summed over the middle: out [outer, inner].
EXPORT(sum_middle)
void sum_middle(int outer, int middle, int inner, const float *x, float *out, float *scratch) {
  for (int o = 0; o < outer; o++, x += (size_t)middle * inner, out += inner) {
    if (inner == 1) *out = sum_row(x, middle);
    else sum_rows(middle, inner, x, out, scratch);
  }
}

// to += from.
EXPORT(add_into)
void add_into(int count, float *to, const float *from) { add_to(to, from, count); }

// out = x * factor; out may be x.
EXPORT(scale_values)
void scale_values(int count, const float *x, float factor, float *out) {
  const f4 f = splat4(factor);
  int i = 0;
  for (; i + 4 <= count; i += 4) store4(out + i, load4(x + i) * f);
  for (; i < count; i++) out[i] = x[i] * factor;
}

// x [rows, width] += bias [width].
EXPORT(add_bias)
void add_bias(int rows, int width, const float *bias, float *x) {
  for (int i = 0; i < rows; i++, x += width) add_to(x, bias, width);
}
