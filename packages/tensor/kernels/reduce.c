// Sums, products and extremes along an axis by parts of fixed size, and sums in place.
#include "vector.h"

// Rows narrower than this are taken several at a time.
#define NARROW 64
// Elements that are joined in one go: short runs keep sums accurate.
#define RUN 2048

typedef struct {
  int middle, inner, chunk, strip;
} Parts;

typedef struct {
  int first, rows, column, width;
  size_t outer;
} Part;

// The rows and columns of item i; parts run over columns, then rows, then the outer axis.
INLINE Part part_of(int i, Parts p) {
  const int strips = (p.inner + p.strip - 1) / p.strip;
  const int chunks = p.middle > p.chunk ? (p.middle + p.chunk - 1) / p.chunk : 1;
  if (strips * chunks == 1) return (Part){0, p.middle, 0, p.inner, (size_t)i};
  const int line = i / strips, column = (i - line * strips) * p.strip;
  const int outer = line / chunks, first = (line - outer * chunks) * p.chunk;
  return (Part){
      .first = first,
      .rows = p.middle - first < p.chunk ? p.middle - first : p.chunk,
      .column = column,
      .width = p.inner - column < p.strip ? p.inner - column : p.strip,
      .outer = (size_t)outer,
  };
}

#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define LARGER4(a, b) highest_of4(a, b)
#define LARGER1(a, b) highest_of1(a, b)
#define SMALLER4(a, b) lowest_of4(a, b)
#define SMALLER1(a, b) lowest_of1(a, b)

// Functions of one reduction: `name`_part is the block kernel. x [outer, middle, inner] is reduced
// over `chunk` of the middle at a time: out [outer, chunks, inner].
#define REDUCTION(name, join4, join1, neutral)                                                  \
  INLINE float name##_lanes(f4 v) {                                                             \
    return join1(join1(v[0], v[1]), join1(v[2], v[3]));                                         \
  }                                                                                             \
  NOINLINE static float name##_short_run(const float *x, int count) {                           \
    f4 s0 = splat4(neutral), s1 = s0, s2 = s0, s3 = s0;                                         \
    int i = 0;                                                                                  \
    for (; i + 16 <= count; i += 16) {                                                          \
      s0 = join4(s0, load4(x + i));                                                             \
      s1 = join4(s1, load4(x + i + 4));                                                         \
      s2 = join4(s2, load4(x + i + 8));                                                         \
      s3 = join4(s3, load4(x + i + 12));                                                        \
    }                                                                                           \
    float total = name##_lanes(join4(join4(s0, s1), join4(s2, s3)));                            \
    for (; i < count; i++) total = join1(total, x[i]);                                          \
    return total;                                                                               \
  }                                                                                             \
  static float name##_run(const float *x, int count) {                                          \
    float total = neutral;                                                                      \
    if (count < 16) {                                                                           \
      for (int i = 0; i < count; i++) total = join1(total, x[i]);                               \
      return total;                                                                             \
    }                                                                                           \
    for (int i = 0; i < count; i += RUN)                                                        \
      total = join1(total, name##_short_run(x + i, count - i < RUN ? count - i : RUN));         \
    return total;                                                                               \
  }                                                                                             \
  INLINE void name##_into(float *to, const float *x, size_t step, int width) {                  \
    int d = 0;                                                                                  \
    for (; d + 4 <= width; d += 4) {                                                            \
      const float *a = x + d;                                                                   \
      const f4 low = join4(load4(a), load4(a + step));                                          \
      const f4 high = join4(load4(a + 2 * step), load4(a + 3 * step));                          \
      store4(to + d, join4(load4(to + d), join4(low, high)));                                   \
    }                                                                                           \
    for (; d < width; d++) {                                                                    \
      const float *a = x + d;                                                                   \
      to[d] = join1(to[d], join1(join1(a[0], a[step]), join1(a[2 * step], a[3 * step])));       \
    }                                                                                           \
  }                                                                                             \
  INLINE void name##_row(float *to, const float *x, int width) {                                \
    int d = 0;                                                                                  \
    for (; d + 4 <= width; d += 4) store4(to + d, join4(load4(to + d), load4(x + d)));          \
    for (; d < width; d++) to[d] = join1(to[d], x[d]);                                          \
  }                                                                                             \
  NOINLINE static void name##_rows(int rows, int width, const float *x, size_t step,            \
                                   float *to) {                                                 \
    for (int d = 0; d < width; d++) to[d] = neutral;                                            \
    int i = 0;                                                                                  \
    for (; i + 4 <= rows; i += 4) name##_into(to, x + (size_t)i * step, step, width);           \
    for (; i < rows; i++) name##_row(to, x + (size_t)i * step, width);                          \
  }                                                                                             \
  static void name##_narrow(int rows, int width, const float *x, float *to, float *scratch) {   \
    const int group = NARROW / width, wide = group * width, whole = rows / group;               \
    name##_rows(whole, wide, x, (size_t)wide, scratch);                                         \
    for (int d = 0; d < width; d++) to[d] = neutral;                                            \
    for (int g = 0; g < group; g++) name##_row(to, scratch + g * width, width);                 \
    for (int i = whole * group; i < rows; i++) name##_row(to, x + (size_t)i * width, width);    \
  }                                                                                             \
  EXPORT(name##_part)                                                                           \
  void name##_part(int begin, int end, float *scratch, const float *x, float *out, int middle,  \
                   int inner, int chunk, int strip) {                                           \
    const Parts parts = {middle, inner, chunk, strip};                                          \
    const int chunks = middle > chunk ? (middle + chunk - 1) / chunk : 1;                       \
    for (int i = begin; i < end; i++) {                                                         \
      const Part p = part_of(i, parts);                                                         \
      const float *from = x + (p.outer * middle + p.first) * inner + p.column;                  \
      float *to = out + (p.outer * chunks + p.first / chunk) * inner + p.column;                \
      if (inner == 1) *to = name##_run(from, p.rows);                                           \
      else if (inner <= NARROW / 2) name##_narrow(p.rows, inner, from, to, scratch);            \
      else name##_rows(p.rows, p.width, from, (size_t)inner, to);                               \
    }                                                                                           \
  }

REDUCTION(sum, ADD, ADD, 0.0f)
REDUCTION(prod, MULTIPLY, MULTIPLY, 1.0f)
REDUCTION(max, LARGER4, LARGER1, -__builtin_inff())
REDUCTION(min, SMALLER4, SMALLER1, __builtin_inff())

// out = x * factor; out may be x.
EXPORT(scale_values)
void scale_values(int begin, int end, const float *scratch, const float *x, float factor,
                  float *out) {
  (void)scratch;
  const f4 f = splat4(factor);
  int i = begin;
  for (; i + 4 <= end; i += 4) store4(out + i, load4(x + i) * f);
  for (; i < end; i++) out[i] = x[i] * factor;
}
