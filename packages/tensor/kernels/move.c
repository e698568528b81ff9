// Copies of blocks: repetitions along an axis, columns out of rows and into rows. Long rows are
// cut into pieces, so that threads share them.
#include "vector.h"

INLINE int least(int a, int b) { return a < b ? a : b; }

// Short copies as loops: a call of the engine's own costs more than they do.
INLINE void copy(int width, const float *from, float *to) {
  if (width >= 128) {
    __builtin_memcpy(to, from, (size_t)width * sizeof(float));
    return;
  }
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, load4(from + d));
  for (; d < width; d++) to[d] = from[d];
}

INLINE void fill(int width, f4 value, float *to) {
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, value);
  for (; d < width; d++) to[d] = value[0];
}

// `count` copies of a block one after another, each copy twice as long as the one before.
static void repeat(int count, int block, const float *x, float *to) {
  if (block == 1) {
    fill(count, splat4(*x), to);
    return;
  }
  const int whole = count * block;
  copy(block, x, to);
  for (int done = block; done < whole; done += least(done, whole - done))
    copy(least(done, whole - done), to, to + done);
}

// out [outer, repeats, block] from x [outer, block]; an item is `piece` of the repeats.
EXPORT(repeat_blocks)
void repeat_blocks(int begin, int end, float *scratch, const float *x, float *out, int repeats,
                   int block, int piece) {
  (void)scratch;
  const int pieces = (repeats + piece - 1) / piece;
  for (int i = begin; i < end; i++) {
    const int outer = i / pieces, first = (i - outer * pieces) * piece;
    repeat(least(piece, repeats - first), block, x + (size_t)outer * block,
           out + ((size_t)outer * repeats + first) * block);
  }
}

// Rows of `width` floats, which start `from_step` and `to_step` floats apart; an item is a piece
// of a row.
EXPORT(copy_rows)
void copy_rows(int begin, int end, float *scratch, const float *from, int from_step, float *to,
               int to_step, int width, int piece) {
  (void)scratch;
  const int pieces = (width + piece - 1) / piece;
  for (int i = begin; i < end; i++) {
    const int row = i / pieces, first = (i - row * pieces) * piece;
    copy(least(piece, width - first), from + (size_t)row * from_step + first,
         to + (size_t)row * to_step + first);
  }
}

// out rows [before + width + after] from x rows [width], zeros around; an item is a piece of a row.
EXPORT(pad_rows)
void pad_rows(int begin, int end, float *scratch, const float *x, float *out, int width, int before,
              int after, int piece) {
  (void)scratch;
  const int whole = before + width + after, pieces = (whole + piece - 1) / piece;
  for (int i = begin; i < end; i++) {
    const int row = i / pieces, first = (i - row * pieces) * piece;
    const int last = least(first + piece, whole);
    // The part of the piece that x fills is [start, stop).
    const int start = least(first > before ? first : before, last);
    const int stop = least(last, before + width) > start ? least(last, before + width) : start;
    float *to = out + (size_t)row * whole;
    fill(start - first, splat4(0), to + first);
    copy(stop - start, x + (size_t)row * width + (start - before), to + start);
    fill(last - stop, splat4(0), to + stop);
  }
}
