// Sums, differences, products and quotients of two arrays, either of them a number, a row or a
// column that is repeated.
#include "vector.h"

// Where the operands of row `r` begin, and whether they move along the row.
typedef struct {
  const float *a, *b;
  int is_a_one, is_b_one;
} Operands;

INLINE f4 operand4(const float *x, int i, int is_one) {
  return is_one ? splat4(*x) : load4(x + i);
}

#define ARITHMETIC(NAME, OPERATOR)                                                              \
  INLINE void NAME##_run(Operands o, int count, float *out) {                                   \
    int i = 0;                                                                                  \
    for (; i + 4 <= count; i += 4)                                                              \
      store4(out + i, operand4(o.a, i, o.is_a_one) OPERATOR operand4(o.b, i, o.is_b_one));      \
    for (; i < count; i++) out[i] = o.a[o.is_a_one ? 0 : i] OPERATOR o.b[o.is_b_one ? 0 : i];   \
  }                                                                                             \
  NOINLINE static void NAME##_any(Operands o, int count, float *out) {                          \
    if (o.is_a_one) NAME##_run((Operands){o.a, o.b, 1, 0}, count, out);                         \
    else if (o.is_b_one) NAME##_run((Operands){o.a, o.b, 0, 1}, count, out);                    \
    else NAME##_run((Operands){o.a, o.b, 0, 0}, count, out);                                    \
  }                                                                                             \
  /* Entries of arrays of one length, or of an array and a number. */                           \
  EXPORT(NAME)                                                                                  \
  void NAME(int begin, int end, const float *scratch, const float *a, int is_a_one,             \
            const float *b, int is_b_one, float *out) {                                         \
    (void)scratch;                                                                              \
    const Operands o = {is_a_one ? a : a + begin, is_b_one ? b : b + begin, is_a_one, is_b_one};\
    NAME##_any(o, end - begin, out + begin);                                                    \
  }                                                                                             \
  /* Rows of `width`: an operand steps `?_row` floats from row to row. */                       \
  EXPORT(NAME##_rows)                                                                           \
  void NAME##_rows(int begin, int end, const float *scratch, int width, const float *a,         \
                   int a_row, int is_a_one, const float *b, int b_row, int is_b_one,            \
                   float *out) {                                                                \
    (void)scratch;                                                                              \
    for (int r = begin; r < end; r++) {                                                         \
      const Operands o = {a + (size_t)r * a_row, b + (size_t)r * b_row, is_a_one, is_b_one};    \
      NAME##_any(o, width, out + (size_t)r * width);                                            \
    }                                                                                           \
  }

ARITHMETIC(add_values, +)
ARITHMETIC(subtract_values, -)
ARITHMETIC(multiply_values, *)
ARITHMETIC(divide_values, /)
