// The binding of tfjs-node, compiled from its own sources, with what our kernels need from it: new
// tensors without values, where the values of a tensor lie, and who else has them. Build: see
// src/native/build.ts.
#include <node_api.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "tensorflow/c/eager/c_api_experimental.h"
#ifdef LAB_INTERNALS
#include "absl/log/globals.h"
#include "tensorflow/c/eager/tfe_tensorhandle_internal.h"
#include "tensorflow/core/common_runtime/eager/tensor_handle.h"
#endif

// Compiled with -fno-access-control: the handles of tfjs-node's tensors, and the counts of who has a
// buffer, are private.
#include "tfjs_backend.cc"
#undef NAPI_MODULE
#define NAPI_MODULE(name, init) static napi_value init_stock(napi_env e, napi_value x) { return init(e, x); }
#include "tfjs_binding.cc"

namespace lab {
namespace {

using tfnodejs::TFJSBackend;

TF_Status *status() {
  static TF_Status *own = TF_NewStatus();
  return own;
}

napi_value fail(napi_env env, const char *message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

bool is_ok() { return TF_GetCode(status()) == TF_OK; }

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

TFJSBackend *backend(napi_env env) {
  TFJSBackend *own = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void **>(&own));
  return own;
}

TFE_TensorHandle *handle_of(napi_env env, napi_value id) {
  int32_t value = -1;
  napi_get_value_int32(env, id, &value);
  const auto &all = backend(env)->tfe_handle_map_;
  const auto found = all.find(value);
  return found == all.end() ? nullptr : found->second;
}

// allocate(shape: number[], dtype: number, place: Float64Array): number, the id of a tensor with
// undefined values; their address is written to `place`
napi_value allocate(napi_env env, napi_callback_info info) {
  size_t given = 3;
  napi_value arguments[3], entry;
  double *place = nullptr;
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  uint32_t rank = 0;
  int32_t dtype = 0;
  if (napi_get_array_length(env, arguments[0], &rank) || rank > 8 ||
      napi_get_value_int32(env, arguments[1], &dtype) ||
      napi_get_typedarray_info(env, arguments[2], nullptr, nullptr,
                               reinterpret_cast<void **>(&place), nullptr, nullptr))
    return fail(env, "tensor: allocate takes a shape, a type and a place.");
  int64_t shape[8], count = 1;
  for (uint32_t axis = 0; axis < rank; axis++) {
    napi_get_element(env, arguments[0], axis, &entry);
    napi_get_value_int64(env, entry, shape + axis);
    count *= shape[axis];
  }
  const auto type = static_cast<TF_DataType>(dtype);
  TF_Tensor *tensor = TF_AllocateTensor(type, shape, rank, count * TF_DataTypeSize(type));
  if (tensor == nullptr) return fail(env, "tensor: TensorFlow has no memory for a tensor.");
  *place = static_cast<double>(reinterpret_cast<uintptr_t>(TF_TensorData(tensor)));
  TFE_TensorHandle *handle = TFE_NewTensorHandle(tensor, status());
  TF_DeleteTensor(tensor);
  if (!is_ok()) return fail(env, TF_Message(status()));
  return number(env, backend(env)->InsertHandle(handle));
}

// addressOf(id: number): number
napi_value address_of(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value id;
  napi_get_cb_info(env, info, &given, &id, nullptr, nullptr);
  TFE_TensorHandle *handle = handle_of(env, id);
  if (handle == nullptr) return fail(env, "tensor: there is no such tensor.");
  void *values = TFE_TensorHandleDevicePointer(handle, status());
  if (!is_ok()) return fail(env, TF_Message(status()));
  return number(env, static_cast<double>(reinterpret_cast<uintptr_t>(values)));
}

// ownersOf(id: number): number, how often TensorFlow counts the buffer of a tensor; 0 where it is not
// TensorFlow's own, or the headers do not tell. A tensor that has its buffer alone is counted as
// often as a new one.
napi_value owners_of(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value id;
  napi_get_cb_info(env, info, &given, &id, nullptr, nullptr);
  double owners = 0;
#ifdef LAB_INTERNALS
  TFE_TensorHandle *handle = handle_of(env, id);
  const tensorflow::Tensor *tensor = nullptr;
  if (handle != nullptr &&
      tensorflow::TensorHandleFromInterface(tensorflow::unwrap(handle))->Tensor(&tensor).ok()) {
    const tensorflow::TensorBuffer *buffer = tensor->buf_;
    const bool is_whole = buffer != nullptr && buffer == tensor->buf_->root_buffer();
    if (is_whole && buffer->OwnsMemory()) owners = static_cast<double>(buffer->RefCount());
  }
#endif
  return number(env, owners);
}

napi_value init(napi_env env, napi_value exports) {
#ifdef LAB_INTERNALS
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kWarning);
#endif
  exports = tfnodejs::init_stock(env, exports);
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"labAllocate", allocate},
                   {"labAddressOf", address_of},
                   {"labOwnersOf", owners_of}};
  for (const auto &[name, call] : functions) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}

}  // namespace
}  // namespace lab

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(
    napi_env env, napi_value exports) {
  return lab::init(env, exports);
}
