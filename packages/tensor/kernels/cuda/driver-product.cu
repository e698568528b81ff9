#include "driver-product.h"

#include <dlfcn.h>

#include "launch.cuh"

__global__ void plain_product(int m, int n, int k, int a_row, int a_step, int b_step, int b_column,
                              const float *a, const float *b, float *to) {
  const size_t item = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (item >= (size_t)m * n) return;
  const size_t i = item / n, j = item - i * n;
  float sum = 0;
  for (size_t t = 0; t < k; t++)
    sum += a[i * a_row + t * a_step] * b[t * b_step + j * b_column];
  to[item] = sum;
}

// The three functions of cuBLAS that are used, as its header declares them.
struct Blas {
  int (*create)(void **handle);
  int (*set_stream)(void *handle, void *stream);
  int (*multiply)(void *handle, int transpose_a, int transpose_b, int m, int n, int k,
                  const float *alpha, const float *a, int a_step, const float *b, int b_step,
                  const float *beta, float *c, int c_step);
  void *handle;
};

static Blas load_blas() {
  Blas blas = {};
  for (const char *name : {"libcublas.so.13", "libcublas.so.12", "libcublas.so"}) {
    void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (!library) continue;
    blas.create = (decltype(blas.create))dlsym(library, "cublasCreate_v2");
    blas.set_stream = (decltype(blas.set_stream))dlsym(library, "cublasSetStream_v2");
    blas.multiply = (decltype(blas.multiply))dlsym(library, "cublasSgemm_v2");
    if (blas.create && blas.set_stream && blas.multiply && blas.create(&blas.handle) == 0)
      return blas;
  }
  return {};
}

static const Blas &blas() {
  static const Blas loaded = load_blas();
  return loaded;
}

const char *product_library() { return blas().handle ? "cublas" : "plain"; }

// cuBLAS has columns one after another: to^T = b^T a^T.
int product(void *stream, int m, int n, int k, int transpose_a, int transpose_b, const float *a,
            const float *b, float *to) {
  const int a_row = transpose_a ? 1 : k, a_step = transpose_a ? m : 1;
  const int b_step = transpose_b ? 1 : n, b_column = transpose_b ? k : 1;
  if (!blas().handle)
    return launch(stream, ceiling((size_t)m * n, BLOCK_THREADS), BLOCK_THREADS, plain_product, m, n,
                  k, a_row, a_step, b_step, b_column, a, b, to);
  const float one = 1, zero = 0;
  const int error = blas().set_stream(blas().handle, stream);
  if (error != 0) return error;
  return blas().multiply(blas().handle, transpose_b, transpose_a, n, m, k, &one, b,
                         transpose_b ? k : n, a, transpose_a ? m : k, &zero, to, n);
}
