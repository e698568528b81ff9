// Our kernels as a Node addon: they work in place on the heap of the wasm backend, or on memory at
// absolute addresses. Build: see src/native/build.ts.
#define NAPI_VERSION 8
#include <fcntl.h>
#include <node_api.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "pages.h"
#include "team.h"

// Memory that is given back is asked for again at the next step, so it stays with the process and
// its pages need not be made anew; larger arrays go back, as what lies between them could not.
#define LARGEST_KEPT (64 << 20)
#define MOST_KEPT (512 << 20)

// Values of a run before the kernel's own: kernel, count, block, scratch, bytes of scratch.
#define FIRST_VALUE 5

static napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

// run(heap: Uint8Array | null, values: Float64Array): number
static napi_value run(napi_env env, napi_callback_info info) {
  size_t given = 2, length = 0;
  napi_value arguments[2], result;
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  Job job = {0};
  napi_valuetype heap_type;
  napi_typedarray_type type;
  double *values = NULL;
  if (given < 2 || napi_typeof(env, arguments[0], &heap_type) != napi_ok)
    return fail(env, "kernels: run takes a heap and values.");
  if (heap_type != napi_null &&
      napi_get_typedarray_info(env, arguments[0], NULL, NULL, (void **)&job.base, NULL, NULL))
    return fail(env, "kernels: the heap is not a typed array.");
  if (napi_get_typedarray_info(env, arguments[1], &type, &length, (void **)&values, NULL, NULL) ||
      type != napi_float64_array || length < FIRST_VALUE)
    return fail(env, "kernels: the values are not a Float64Array.");
  job.kernel = (int)values[0], job.count = (int)values[1], job.block = (int)values[2];
  job.scratch = values[3], job.scratch_bytes = values[4], job.values = values + FIRST_VALUE;
  if (job.kernel < 0 || job.kernel >= kernel_count())
    return fail(env, "kernels: there is no such kernel.");
  if (length < FIRST_VALUE + (size_t)kernel_values(job.kernel) || job.block < 1)
    return fail(env, "kernels: values are missing.");
  int failed = 0;
  const double answer = run_job(&job, &failed);
  if (failed) return fail(env, "kernels: no memory for the scratch of a thread.");
  napi_create_double(env, answer, &result);
  return result;
}

// names(): string[], in the order of their numbers
static napi_value names(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value list, name;
  napi_create_array_with_length(env, kernel_count(), &list);
  for (int k = 0; k < kernel_count(); k++) {
    napi_create_string_utf8(env, kernel_name(k), NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, k, name);
  }
  return list;
}

// threads(wanted: number): number
static napi_value set_threads(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, result;
  int32_t wanted = 1;
  napi_get_cb_info(env, info, &given, &argument, NULL, NULL);
  if (given < 1 || napi_get_value_int32(env, argument, &wanted))
    return fail(env, "kernels: threads takes a number.");
  napi_create_int32(env, use_threads(wanted), &result);
  return result;
}

// addressOf(values: TypedArray): number
static napi_value address_of(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value argument, result;
  void *data = NULL;
  napi_get_cb_info(env, info, &given, &argument, NULL, NULL);
  if (given < 1 || napi_get_typedarray_info(env, argument, NULL, NULL, &data, NULL, NULL))
    return fail(env, "kernels: addressOf takes a typed array.");
  napi_create_double(env, (double)(uintptr_t)data, &result);
  return result;
}

static int numbers(napi_env env, napi_callback_info info, size_t count, double *values) {
  size_t given = count;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  for (size_t i = 0; i < count; i++)
    if (given < count || napi_get_value_double(env, arguments[i], values + i)) return 0;
  return 1;
}

// allocate(bytes: number): number, the address of that many bytes on a whole cache line; 0 without
// room
static napi_value allocate(napi_env env, napi_callback_info info) {
  double bytes;
  napi_value result;
  if (!numbers(env, info, 1, &bytes)) return fail(env, "kernels: allocate takes a number.");
  const size_t lines = ((size_t)bytes + 63) / 64;
  napi_create_double(env, (double)(uintptr_t)aligned_alloc(64, lines ? 64 * lines : 64), &result);
  return result;
}

// release(address: number): void
static napi_value release(napi_env env, napi_callback_info info) {
  double address;
  if (!numbers(env, info, 1, &address)) return fail(env, "kernels: release takes an address.");
  free((void *)(uintptr_t)address);
  return NULL;
}

// view(address: number, bytes: number): ArrayBuffer, the bytes where they lie
static napi_value view(napi_env env, napi_callback_info info) {
  double values[2];
  napi_value result;
  if (!numbers(env, info, 2, values) ||
      napi_create_external_arraybuffer(env, (void *)(uintptr_t)values[0], (size_t)values[1], NULL,
                                       NULL, &result))
    return fail(env, "kernels: no view of that address.");
  return result;
}

// mute(): number; unmute(restore: number): void. Standard error leads nowhere in between.
static napi_value mute(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  const int kept = dup(2), nowhere = open("/dev/null", O_WRONLY);
  if (nowhere >= 0 && kept >= 0) dup2(nowhere, 2);
  if (nowhere >= 0) close(nowhere);
  napi_create_int32(env, kept, &result);
  return result;
}

static napi_value unmute(napi_env env, napi_callback_info info) {
  double kept;
  if (!numbers(env, info, 1, &kept)) return fail(env, "kernels: unmute takes a number.");
  if (kept >= 0) {
    dup2((int)kept, 2);
    close((int)kept);
  }
  return NULL;
}

// releasePages(address: number, bytes: number): boolean; for pages that are read from a file alone
static napi_value release_file_pages(napi_env env, napi_callback_info info) {
  double values[2];
  napi_value result;
  if (!numbers(env, info, 2, values))
    return fail(env, "kernels: releasePages takes an address and a number of bytes.");
  const int done = release_pages((void *)(uintptr_t)values[0], (size_t)values[1]);
  napi_get_boolean(env, done, &result);
  return result;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"run", run},           {"names", names},     {"threads", set_threads}, {"addressOf", address_of},
      {"allocate", allocate}, {"release", release}, {"view", view},
      {"mute", mute},         {"unmute", unmute},   {"releasePages", release_file_pages}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                         &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT);
  mallopt(M_TRIM_THRESHOLD, MOST_KEPT);
#endif
  return exports;
}
