// Copies of blocks: repetitions along an axis, columns out of rows and into rows.
#include "vector.h"

// out [outer, repeats, block] from x [outer, block].
EXPORT(repeat_blocks)
void repeat_blocks(int outer, int repeats, int block, const float *x, float *out) {
  for (int o = 0; o < outer; o++, x += block) {
    if (block == 1) {
      const f4 value = splat4(*x);
      int r = 0;
      for (; r + 4 <= repeats; r += 4) store4(out + r, value);
      for (; r < repeats; r++) out[r] = *x;
      out += repeats;
      continue;
    }
    for (int r = 0; r < repeats; r++, out += block)
      __builtin_memcpy(out, x, (size_t)block * sizeof(float));
  }
}

// Copies `rows` rows of `width` floats; rows start `from_step` and `to_step` floats apart.
EXPORT(copy_rows)
void copy_rows(int rows, int width, const float *from, int from_step, float *to, int to_step) {
  for (int i = 0; i < rows; i++, from += from_step, to += to_step)
    __builtin_memcpy(to, from, (size_t)width * sizeof(float));
}

EXPORT(clear_values)
void clear_values(int count, float *to) {
  __builtin_memset(to, 0, (size_t)count * sizeof(float));
}
