// Products of few rows with a matrix whose rows are multiplied as they lie: every weight is read
// once from memory, in the 16 bits that it may have, and no float of it is ever written.
//
// A dot has sixteen sums, of the places p with the same p % 16. So its bits depend neither on how
// many rows there are nor on how many are multiplied at a time.
#include "half.h"

// Rows of x that are multiplied at a time: as many sums as there are registers for.
#if defined(__AVX512F__)
#define AT_ONCE 8
#elif defined(HAS_SIXTEEN)
#define AT_ONCE 4
#else
#define AT_ONCE 3
#endif

// One row of w at a time is read as fast as the memory gives it. Where the rows of x do not stay in
// the nearest cache, several rows of w save reading them, if there are registers for that.
#define SEVERAL 3
#define NEAREST (32 << 10)
#define HAS_SEVERAL (AT_ONCE == 8)
// Bytes of w that are asked for ahead, for one row at a time.
#define AHEAD 4096

// out [m, n] = x [m, k] times the transpose of w [n, k], plus bias [n] unless that is null; rows of
// x are `step` floats apart.
typedef struct {
  const float *x;
  const void *w;
  float *out;
  const float *bias;
  int step, n, k;
} Product;

// Rows of x, and of w, and how they lie.
typedef struct {
  const float *x;
  const char *w;
  size_t step, line;  // floats from a row of x to the next, bytes from one of w
  int k;
} Rows;

typedef f16 Sums[SEVERAL][AT_ONCE];

#ifdef HAS_SIXTEEN
INLINE void multiply(const Rows *of, int rows, int columns, int kind, Sums sums) {
  const size_t ahead = columns == 1 ? AHEAD : columns * of->line;
  for (int p = 0; p + 16 <= of->k; p += 16) {
    f16 factors[SEVERAL];
    UNROLL for (int c = 0; c < columns; c++) {
      const char *w = of->w + c * of->line;
      __builtin_prefetch(w + ahead + p * (kind == FLOAT32 ? 4 : 2));
      factors[c] = weights16(w, p, kind);
    }
    UNROLL for (int r = 0; r < rows; r++) {
      const f16 values = load16(of->x + r * of->step + p);
      UNROLL for (int c = 0; c < columns; c++)
        sums[c][r] = madd16(values, factors[c], sums[c][r]);
    }
  }
}
#else
// The sums of every fourth group of four places, from group `first` on: V8 keeps up to six vectors
// of a loop in registers, the others go through memory. It computes a product in the place of its
// first factor, which therefore is the one that is not needed again.
INLINE void multiply_groups(const Rows *of, int rows, int first, int count, int kind, Sums sums) {
  f4 own[AT_ONCE][4] = {0};
  for (int p = 4 * first; p + 16 <= of->k + 4 * first; p += 16) {
    f4 factors[4];
    UNROLL for (int g = 0; g < count; g++) factors[g] = weights4(of->w, p + 4 * g, kind);
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int g = 0; g < count; g++)
        own[r][g] = madd4(load4(of->x + r * of->step + p + 4 * g), factors[g], own[r][g]);
  }
  UNROLL for (int r = 0; r < rows; r++)
    UNROLL for (int g = 0; g < count; g++) sums[0][r].part[first + g] = own[r][g];
}

INLINE void multiply(const Rows *of, int rows, int columns, int kind, Sums sums) {
  (void)columns;
  if (rows == 1) {
    multiply_groups(of, rows, 0, 4, kind, sums);
    return;
  }
  multiply_groups(of, rows, 0, 2, kind, sums);
  multiply_groups(of, rows, 2, 2, kind, sums);
}
#endif

// What the last places, fewer than sixteen, add to a dot.
NOINLINE static float add_last(float sum, int k, const float *x, const char *w, int kind) {
  for (int p = k & ~15; p < k; p++) sum += weight1(w, p, kind) * x[p];
  return sum;
}

// The dots of `rows` rows of x from row i on with `columns` rows of w from row j on.
INLINE void dots(const Product *product, int rows, int columns, int i, int j, int kind) {
  const int k = product->k, n = product->n;
  const size_t line = (size_t)k * (kind == FLOAT32 ? 4 : 2);
  const Rows of = {product->x + (size_t)i * product->step,
                   (const char *)product->w + (size_t)j * line, product->step, line, k};
  Sums sums = {0};
  multiply(&of, rows, columns, kind, sums);
  UNROLL for (int c = 0; c < columns; c++)
    UNROLL for (int r = 0; r < rows; r++) {
      float sum = sum16(sums[c][r]);
      if (k & 15) sum = add_last(sum, k, of.x + r * of.step, of.w + c * line, kind);
      product->out[(size_t)(i + r) * n + j + c] = sum + (product->bias ? product->bias[j + c] : 0);
    }
}

#define ROWS(COUNT, KIND)                                                                          \
  NOINLINE static void rows_##COUNT##_##KIND(const Product *product, int i, int begin, int end) {  \
    const int is_far = COUNT > 2 && COUNT * product->k * 4 > NEAREST;                              \
    int j = begin;                                                                                 \
    if (HAS_SEVERAL && is_far)                                                                     \
      for (; j + SEVERAL <= end; j += SEVERAL) dots(product, COUNT, SEVERAL, i, j, KIND);          \
    for (; j < end; j++) dots(product, COUNT, 1, i, j, KIND);                                      \
  }

#define CALL(COUNT, KIND)                                                                          \
  if (rows == COUNT) rows_##COUNT##_##KIND(product, i, begin, end);

#if AT_ONCE > 4
#define FIFTH_ON(DO, KIND) DO(5, KIND) DO(6, KIND) DO(7, KIND) DO(8, KIND)
#else
#define FIFTH_ON(DO, KIND)
#endif
#if AT_ONCE > 3
#define FOURTH_ON(DO, KIND) DO(4, KIND) FIFTH_ON(DO, KIND)
#else
#define FOURTH_ON(DO, KIND)
#endif
#define EACH(DO, KIND) DO(1, KIND) DO(2, KIND) DO(3, KIND) FOURTH_ON(DO, KIND)

#define KIND(NAME)                                                                                 \
  EACH(ROWS, NAME)                                                                                 \
  static void rows_of_##NAME(const Product *product, int rows, int i, int begin, int end) {        \
    EACH(CALL, NAME)                                                                               \
  }

KIND(FLOAT16)
KIND(BFLOAT16)
KIND(FLOAT32)
#ifndef HAS_SIXTEEN
KIND(FINITE16)
#endif

// Item: a row of w, whose numbers are of the kind. The rows of w of a block stay in the cache from
// one group of rows of x to the next.
EXPORT(few_rows)
void few_rows(int begin, int end, const float *scratch, const float *x, int step, const void *w,
              float *out, int m, int n, int k, int kind, const float *bias) {
  (void)scratch;
  const Product product = {x, w, out, bias, step, n, k};
  for (int i = 0; i < m; i += AT_ONCE) {
    const int rows = m - i < AT_ONCE ? m - i : AT_ONCE;
    if (kind == BFLOAT16) rows_of_BFLOAT16(&product, rows, i, begin, end);
    else if (kind == FLOAT32) rows_of_FLOAT32(&product, rows, i, begin, end);
#ifndef HAS_SIXTEEN  // whose instruction knows all patterns
    else if (kind == FINITE16) rows_of_FINITE16(&product, rows, i, begin, end);
#endif
    else rows_of_FLOAT16(&product, rows, i, begin, end);
  }
}

// to = x [m, k] with rows `step` floats apart. Where these are whole cache lines, no vector of a
// row lies in two: such a load takes three times as long.
EXPORT(few_rows_apart)
void few_rows_apart(int m, int k, int step, const float *x, float *to) {
  for (int i = 0; i < m; i++)
    __builtin_memcpy(to + (size_t)i * step, x + (size_t)i * k, (size_t)k * sizeof(float));
}
