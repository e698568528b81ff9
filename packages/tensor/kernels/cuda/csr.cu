// Sparse (compressed rows) times dense, and its gradients; the definitions are in ../csr.c.
#include "entry-dots.cuh"
#include "launchers.h"

int lab_cuda_csr_product(void *stream, int count, int width, const int32_t *pointers,
                         const int32_t *columns, const float *values, const float *x, float *out) {
  return launch_collect(stream, count, width, {pointers, columns}, EntryValues{values}, x, out);
}

struct KeepDot {
  float *out;
  __device__ void operator()(int e, int, float dot) const { out[e] = dot; }
};

int lab_cuda_csr_sampled_dot(void *stream, int count, int width, const int32_t *pointers,
                             const int32_t *columns, const float *dy, const float *x, float *out) {
  return launch_dots<1>(stream, count, width, {pointers, columns}, {dy, x, nullptr}, KeepDot{out});
}
