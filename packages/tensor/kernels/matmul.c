// Matrix product: b packed in panels of NR columns, a in panels of 6 rows, 6 x NR register tiles.
#include "matmul.h"

#include "narrow.h"
#include "tile.h"

// Transposes the 4 x 4 block whose rows are `r`.
INLINE void transpose4(f4 r[4]) {
  const f4 t0 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const f4 t1 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const f4 t2 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const f4 t3 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(t0, t2, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(t0, t2, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(t1, t3, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(t1, t3, 2, 3, 6, 7);
}

// Packs `count` <= width lines of `source` into one panel [kc, width], zero padded. A line runs
// along k: its elements are `step` floats apart, lines `line` floats apart.
INLINE void pack_slow(const float *source, int line, int step, int count, int kc, int width,
                      float *panel) {
  for (int k = 0; k < kc; k++, panel += width)
    for (int i = 0; i < width; i++)
      panel[i] = i < count ? source[(size_t)i * line + (size_t)k * step] : 0;
}

// A full panel of NR lines that lie side by side in memory (k runs down the rows).
INLINE void pack_side_by_side(const float *source, int step, int kc, float *panel) {
  for (int k = 0; k < kc; k++, panel += NR, source += step)
    for (int i = 0; i < NR; i += 4) store4(panel + i, load4(source + i));
}

// A full panel of NR lines that are rows in memory (k runs along the row).
INLINE void pack_lines(const float *source, int line, int kc, float *panel) {
  int k = 0;
  for (; k + 4 <= kc; k += 4, panel += 4 * NR)
    for (int h = 0; h < NR / 4; h++) {
      const float *s = source + (size_t)(4 * h) * line + k;
      f4 r[4] = {load4(s), load4(s + line), load4(s + 2 * (size_t)line),
                 load4(s + 3 * (size_t)line)};
      transpose4(r);
      for (int q = 0; q < 4; q++) store4(panel + NR * q + 4 * h, r[q]);
    }
  pack_slow(source + k, line, 1, NR, kc - k, NR, panel);
}

// The part [kc, n] of b from (p, j) on, in panels; `packed`.
NOINLINE static float *pack_b(const Operand *b, int p, int j, int n, int kc, float *packed) {
  const int ld = b->ld, trans = b->trans;
  const float *from = b->values + (trans ? (size_t)j * ld + p : (size_t)p * ld + j);
  for (int first = 0; first < n; first += NR) {
    const int count = n - first < NR ? n - first : NR;
    const float *source = trans ? from + (size_t)first * ld : from + first;
    float *panel = packed + (size_t)first * kc;
    if (count < NR) pack_slow(source, trans ? ld : 1, trans ? 1 : ld, count, kc, NR, panel);
    else if (trans) pack_lines(source, ld, kc, panel);
    else pack_side_by_side(source, ld, kc, panel);
  }
  return packed;
}

// A full panel of 6 rows of a (k runs along the row).
INLINE void pack6_lines(const float *source, int line, int kc, float *panel) {
  int k = 0;
  for (; k + 4 <= kc; k += 4, panel += 24) {
    const float *s = source + k;
    f4 r[4] = {load4(s), load4(s + line), load4(s + 2 * (size_t)line),
               load4(s + 3 * (size_t)line)};
    const f4 u = load4(s + 4 * (size_t)line), v = load4(s + 5 * (size_t)line);
    const f4 low = __builtin_shufflevector(u, v, 0, 4, 1, 5);
    const f4 high = __builtin_shufflevector(u, v, 2, 6, 3, 7);
    transpose4(r);
    store4(panel, r[0]);
    store4(panel + 4, __builtin_shufflevector(low, r[1], 0, 1, 4, 5));
    store4(panel + 8, __builtin_shufflevector(r[1], low, 2, 3, 6, 7));
    store4(panel + 12, r[2]);
    store4(panel + 16, __builtin_shufflevector(high, r[3], 0, 1, 4, 5));
    store4(panel + 20, __builtin_shufflevector(r[3], high, 2, 3, 6, 7));
  }
  pack_slow(source + k, line, 1, 6, kc - k, 6, panel);
}

// A full panel of 6 columns of a stored transposed (k runs down the rows).
INLINE void pack6_rows(const float *source, int step, int kc, float *panel) {
  for (int k = 0; k < kc; k++, panel += 6, source += step) {
    store4(panel, load4(source));
    panel[4] = source[4];
    panel[5] = source[5];
  }
}

// The part [m, kc] of a from (i, p) on, in panels; `packed`.
NOINLINE static float *pack_a(const Operand *a, int i, int p, int m, int kc, float *packed) {
  const int ld = a->ld, trans = a->trans;
  const float *from = a->values + (trans ? (size_t)p * ld + i : (size_t)i * ld + p);
  for (int first = 0; first < m; first += MR) {
    const int count = m - first < MR ? m - first : MR;
    const float *source = trans ? from + first : from + (size_t)first * ld;
    float *panel = packed + (size_t)first * kc;
    if (count < MR) pack_slow(source, trans ? 1 : ld, trans ? ld : 1, count, kc, MR, panel);
    else if (trans) pack6_rows(source, ld, kc, panel);
    else pack6_lines(source, ld, kc, panel);
  }
  return packed;
}

// Length of the stretches that an inner dimension of k is cut into.
INLINE int stretch_of(int k) {
  const int parts = (k + LAB_GEMM_KC - 1) / LAB_GEMM_KC;
  return ((k + parts - 1) / parts + 3) & ~3;
}

// Packed operands are their stretches one after the other; the panels of one are `lines` long.
INLINE size_t stretch_at(int p, int lines, int width) {
  return (size_t)p * ((lines + width - 1) / width * width);
}

void lab_pack_a(int m, int k, Operand a, float *packed) {
  const int step = stretch_of(k);
  for (int p = 0; p < k; p += step)
    pack_a(&a, 0, p, m, k - p < step ? k - p : step, packed + stretch_at(p, m, MR));
}

void lab_pack_b(int n, int k, Operand b, float *packed) {
  const int step = stretch_of(k);
  for (int p = 0; p < k; p += step)
    pack_b(&b, p, 0, n, k - p < step ? k - p : step, packed + stretch_at(p, n, NR));
}

typedef struct {
  int rows, columns, ldc, accumulate;
} Edge;

// A tile that reaches over the end of c: whole in `full`, of which c takes its part.
NOINLINE static void tile_edge(int kc, const float *a, const float *b, float *c, Edge edge) {
  float full[MR * NR];
  tile(kc, a, b, full, NR, 0);
  for (int i = 0; i < edge.rows; i++, c += edge.ldc)
    for (int j = 0; j < edge.columns; j++)
      c[j] = (edge.accumulate ? c[j] : 0) + full[i * NR + j];
}

NOINLINE static void block_product(int m, int n, int kc, const float *a, const float *b, float *c,
                                   int ldc, int accumulate) {
  for (int j = 0; j < n; j += NR) {
    const float *panel = b + (size_t)j * kc;
    const int columns = n - j < NR ? n - j : NR;
    for (int i = 0; i < m; i += MR) {
      const int rows = m - i < MR ? m - i : MR;
      float *to = c + (size_t)i * ldc + j;
      const float *rows_of_a = a + (size_t)i * kc;
      if (rows == MR && columns == NR) tile(kc, rows_of_a, panel, to, ldc, accumulate);
      else tile_edge(kc, rows_of_a, panel, to, (Edge){rows, columns, ldc, accumulate});
    }
  }
}

static void clear(int m, int n, float *c, int ldc) {
  for (int i = 0; i < m; i++, c += ldc) __builtin_memset(c, 0, (size_t)n * sizeof(float));
}

// The product by row dots or row sums when it is narrow and its scratch fits; whether it was.
static int narrow_product(int m, int n, int k, const Operand *a, const Operand *b, float *c,
                          int ldc, int accumulate, float *scratch) {
  if (n > NARROW_COLUMNS || (a->trans ? m : k) > LAB_GEMM_SCRATCH / NARROW_COLUMNS) return 0;
  if (!a->trans) {
    narrow_pack(n, k, b->values, b->ld, b->trans, scratch);
    narrow_rows(m, n, k, a->values, a->ld, scratch, c, ldc, accumulate);
    return 1;
  }
  narrow_columns(m, n, k, a->values, a->ld, b->values, b->ld, b->trans, scratch);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      float *to = c + (size_t)i * ldc + j;
      *to = (accumulate ? *to : 0) + scratch[(size_t)j * m + i];
    }
  return 1;
}

void lab_product(int m, int n, int k, Operand a, Operand b, float *c, int ldc, int accumulate,
                 float *scratch) {
  if (k == 0 && !accumulate) clear(m, n, c, ldc);
  if (k == 0 || narrow_product(m, n, k, &a, &b, c, ldc, accumulate, scratch)) return;
  float *own_a = scratch, *own_b = scratch + LAB_GEMM_KC * LAB_GEMM_MC;
  const int step = stretch_of(k);
  for (int j = 0; j < n; j += LAB_GEMM_NC) {
    const int nc = n - j < LAB_GEMM_NC ? n - j : LAB_GEMM_NC;
    for (int p = 0; p < k; p += step) {
      const int kc = k - p < step ? k - p : step;
      const float *panels_b = b.packed ? b.packed + stretch_at(p, n, NR) + (size_t)j * kc
                                       : pack_b(&b, p, j, nc, kc, own_b);
      for (int i = 0; i < m; i += LAB_GEMM_MC) {
        const int mc = m - i < LAB_GEMM_MC ? m - i : LAB_GEMM_MC;
        const float *panels_a = a.packed ? a.packed + stretch_at(p, m, MR) + (size_t)i * kc
                                         : pack_a(&a, i, p, mc, kc, own_a);
        block_product(mc, nc, kc, panels_a, panels_b, c + (size_t)i * ldc + j, ldc,
                      accumulate || p > 0);
      }
    }
  }
}

void lab_gemm(int m, int n, int k, const float *a, int lda, int trans_a, const float *b, int ldb,
              int trans_b, float *c, int ldc, int accumulate, float *scratch) {
  const Operand left = {a, lda, trans_a, 0}, right = {b, ldb, trans_b, 0};
  lab_product(m, n, k, left, right, c, ldc, accumulate, scratch);
}

// Items of dense products of a batch: item t of a, b and c starts `stride?` floats after item
// t - 1; each product is cut into blocks of `block_m` rows and `block_n` columns, numbered row by
// row, product after product.
EXPORT(gemm)
void gemm(int begin, int end, float *scratch, int m, int n, int k, const float *a, int trans_a,
          int stride_a, const float *b, int trans_b, int stride_b, float *c, int block_m,
          int block_n) {
  const int across = (n + block_n - 1) / block_n, down = (m + block_m - 1) / block_m;
  const int lda = trans_a ? m : k, ldb = trans_b ? k : n;
  for (int item = begin; item < end; item++) {
    const int t = item / (across * down), place = item % (across * down);
    const int i = place / across * block_m, j = place % across * block_n;
    const int rows = m - i < block_m ? m - i : block_m;
    const int columns = n - j < block_n ? n - j : block_n;
    const float *ai = a + (size_t)t * stride_a + (trans_a ? i : (size_t)i * lda);
    const float *bj = b + (size_t)t * stride_b + (trans_b ? (size_t)j * ldb : j);
    lab_gemm(rows, columns, k, ai, lda, trans_a, bj, ldb, trans_b,
             c + (size_t)t * m * n + (size_t)i * n + j, n, 0, scratch);
  }
}

// Item p is the product over the p-th stretch of `chunk` of the inner dimension alone, a whole
// [m, n] of its own in `parts`: for small results of long sums.
EXPORT(gemm_stretches)
void gemm_stretches(int begin, int end, float *scratch, int m, int n, int k, const float *a,
                    int trans_a, const float *b, int trans_b, float *parts, int chunk) {
  const int lda = trans_a ? m : k, ldb = trans_b ? k : n;
  for (int p = begin; p < end; p++) {
    const int start = p * chunk, length = k - start < chunk ? k - start : chunk;
    const float *from_a = a + (trans_a ? (size_t)start * m : (size_t)start);
    const float *from_b = b + (trans_b ? (size_t)start : (size_t)start * n);
    lab_gemm(m, n, length, from_a, lda, trans_a, from_b, ldb, trans_b,
             parts + (size_t)p * m * n, n, 0, scratch);
  }
}

EXPORT(gemm_scratch_bytes) int gemm_scratch_bytes(void) { return LAB_GEMM_SCRATCH * 4; }
