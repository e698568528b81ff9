// The tile of a product, a module of its own: the engine may compile it for wider vectors, see
// docs/decisions/2026-11-26-wider-vectors-by-flag.md.
#pragma once

#define MR 6
#ifdef __wasm__
#define NR 8
#else
#define NR 16
#endif

// c[6, NR] = (accumulate ? c : 0) + the sum over k < kc of a[k, 6]^T b[k, NR]; rows of c lie ldc apart.
// It calls nothing and has no stack, so that it compiles the same wherever it is called from.
void tile(int kc, const float *a, const float *b, float *c, int ldc, int accumulate);
