// Dense products for the sequences that the driver times, by cuBLAS where its library is found when
// the program runs; else by a plain kernel, whose time says nothing. No header of cuBLAS is needed.
#pragma once

#include <cstdint>

// to [m, n] = a [m, k] b [k, n] in float32, rows one after another; a is stored [k, m] with
// transpose_a and b [n, k] with transpose_b. Returns 0 when all is well.
int product(void *stream, int m, int n, int k, int transpose_a, int transpose_b, const float *a,
            const float *b, float *to);

// "cublas", or "plain".
const char *product_library();
