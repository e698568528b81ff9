// General matrix product on packed panels; other kernels call it for their blocks.
#pragma once

#include "vector.h"

#define LAB_GEMM_KC 384   // longest stretch of the inner dimension that is packed at once
#define LAB_GEMM_NC 1024  // columns of b packed at once
#define LAB_GEMM_MC 96    // rows of a packed at once, a multiple of the tile's 6 rows

// Floats of scratch that `lab_gemm` needs, whatever the sizes.
#define LAB_GEMM_SCRATCH (LAB_GEMM_KC * (LAB_GEMM_NC + LAB_GEMM_MC))

// c[m, n] = (accumulate ? c : 0) + op(a)[m, k] op(b)[k, n], rows `ld?` floats apart.
// op(a) is a[m, k], or the transpose of a[k, m] when trans_a; likewise b.
void lab_gemm(int m, int n, int k, const float *a, int lda, int trans_a, const float *b, int ldb,
              int trans_b, float *c, int ldc, int accumulate, float *scratch);

// One side of a product, as `lab_gemm` takes it, and where it lies packed, or null.
typedef struct {
  const float *values;
  int ld, trans;
  const float *packed;
} Operand;

// Packs op(a)[m, k], or op(b)[k, n], for all products that it is whole in. `packed` holds k floats
// for every line: m up to a multiple of 6, n up to a multiple of the tile's columns.
void lab_pack_a(int m, int k, Operand a, float *packed);
void lab_pack_b(int n, int k, Operand b, float *packed);

// `lab_gemm` that packs only what is not packed yet; its bits do not depend on which.
void lab_product(int m, int n, int k, Operand a, Operand b, float *c, int ldc, int accumulate,
                 float *scratch);
