// The binding of tfjs-node, compiled from its own sources, with what our kernels need from it: new
// tensors without values, where the values of a tensor lie, who else has them, and a run of the
// operation of ops.cc. Build: see src/native/build.ts.
#include <node_api.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

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

// Shape and type of a new tensor.
struct Form {
  uint32_t rank = 0;
  int64_t shape[8], count = 1;
  TF_DataType type;
};

bool read_form(napi_env env, const napi_value *arguments, Form *form) {
  int32_t dtype = 0;
  napi_value entry;
  if (napi_get_array_length(env, arguments[0], &form->rank) || form->rank > 8 ||
      napi_get_value_int32(env, arguments[1], &dtype))
    return false;
  form->type = static_cast<TF_DataType>(dtype);
  for (uint32_t axis = 0; axis < form->rank; axis++) {
    napi_get_element(env, arguments[0], axis, &entry);
    napi_get_value_int64(env, entry, form->shape + axis);
    form->count *= form->shape[axis];
  }
  return true;
}

// allocate(shape: number[], dtype: number, place: Float64Array): number, the id of a tensor with
// undefined values; their address is written to `place`
napi_value allocate(napi_env env, napi_callback_info info) {
  size_t given = 3;
  napi_value arguments[3];
  double *place = nullptr;
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  Form form;
  if (!read_form(env, arguments, &form) ||
      napi_get_typedarray_info(env, arguments[2], nullptr, nullptr,
                               reinterpret_cast<void **>(&place), nullptr, nullptr))
    return fail(env, "tensor: allocate takes a shape, a type and a place.");
  TF_Tensor *tensor = TF_AllocateTensor(form.type, form.shape, form.rank,
                                        form.count * TF_DataTypeSize(form.type));
  if (tensor == nullptr) return fail(env, "tensor: TensorFlow has no memory for a tensor.");
  *place = static_cast<double>(reinterpret_cast<uintptr_t>(TF_TensorData(tensor)));
  TFE_TensorHandle *handle = TFE_NewTensorHandle(tensor, status());
  TF_DeleteTensor(tensor);
  if (!is_ok()) return fail(env, TF_Message(status()));
  return number(env, backend(env)->InsertHandle(handle));
}

using Handle = std::unique_ptr<TFE_TensorHandle, decltype(&TFE_DeleteTensorHandle)>;
using Operation = std::unique_ptr<TFE_Op, decltype(&TFE_DeleteOp)>;

// An operation on the device of the backend; null, with the status, where there is no such one.
Operation new_operation(TFJSBackend *own, const char *name) {
  Operation op(TFE_NewOp(own->tfe_context_, name, status()), TFE_DeleteOp);
  if (is_ok()) TFE_OpSetDevice(op.get(), own->device_name.c_str(), status());
  return op;
}

// A tensor of that many values on the host; null, with the status, where there is no memory.
Handle on_host(TF_DataType type, const void *values, int64_t count) {
  const size_t bytes = count * TF_DataTypeSize(type);
  TF_Tensor *tensor = TF_AllocateTensor(type, &count, 1, bytes);
  if (tensor == nullptr) {
    TF_SetStatus(status(), TF_RESOURCE_EXHAUSTED, "tensor: no memory for a tensor.");
    return Handle(nullptr, TFE_DeleteTensorHandle);
  }
  if (bytes > 0) memcpy(TF_TensorData(tensor), values, bytes);
  Handle handle(TFE_NewTensorHandle(tensor, status()), TFE_DeleteTensorHandle);
  TF_DeleteTensor(tensor);
  return handle;
}

// empty(shape: number[], dtype: number): number, the id of a tensor with undefined values on the
// device of the backend
napi_value empty(napi_env env, napi_callback_info info) {
  size_t given = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  Form form;
  if (!read_form(env, arguments, &form))
    return fail(env, "tensor: empty takes a shape and a type.");
  const Operation op = new_operation(backend(env), "Empty");
  if (!is_ok()) return fail(env, TF_Message(status()));
  const std::vector<int32_t> sizes(form.shape, form.shape + form.rank);
  const Handle shape = on_host(TF_INT32, sizes.data(), form.rank);
  if (is_ok()) TFE_OpAddInput(op.get(), shape.get(), status());
  if (!is_ok()) return fail(env, TF_Message(status()));
  TFE_OpSetAttrType(op.get(), "dtype", form.type);
  TFE_TensorHandle *result = nullptr;
  int count = 1;
  TFE_Execute(op.get(), &result, &count, status());
  if (!is_ok()) return fail(env, TF_Message(status()));
  return number(env, backend(env)->InsertHandle(result));
}

// run(operation: string, job: Float64Array, length: number, ids: number[]): void, the operation of
// ops.cc on the first numbers of the job and on these tensors
napi_value run(napi_env env, napi_callback_info info) {
  size_t given = 4, room = 0;
  napi_value arguments[4], id;
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  char name[64];
  napi_typedarray_type type;
  double *values = nullptr;
  uint32_t length = 0, count = 0;
  if (napi_get_value_string_utf8(env, arguments[0], name, sizeof name, nullptr) ||
      napi_get_typedarray_info(env, arguments[1], &type, &room,
                               reinterpret_cast<void **>(&values), nullptr, nullptr) ||
      type != napi_float64_array || napi_get_value_uint32(env, arguments[2], &length) ||
      length > room || napi_get_array_length(env, arguments[3], &count))
    return fail(env, "tensor: run takes an operation, a job, its length and ids of tensors.");
  std::vector<TFE_TensorHandle *> tensors(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_get_element(env, arguments[3], i, &id);
    tensors[i] = handle_of(env, id);
    if (tensors[i] == nullptr) return fail(env, "tensor: there is no such tensor.");
  }
  const Operation op = new_operation(backend(env), name);
  if (!is_ok()) return fail(env, TF_Message(status()));
  const Handle job = on_host(TF_DOUBLE, values, length);
  if (is_ok()) TFE_OpAddInput(op.get(), job.get(), status());
  if (is_ok()) TFE_OpAddInputList(op.get(), tensors.data(), static_cast<int>(count), status());
  int none = 0;
  if (is_ok()) TFE_Execute(op.get(), nullptr, &none, status());
  return is_ok() ? nullptr : fail(env, TF_Message(status()));
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

// reshape(id: number, shape: number[]): number, the id of a tensor with the same values under another
// shape; of numbers on the CPU, as many as before
napi_value reshape(napi_env env, napi_callback_info info) {
  size_t given = 2;
  napi_value arguments[2], entry;
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  TFE_TensorHandle *handle = handle_of(env, arguments[0]);
  uint32_t rank = 0;
  if (handle == nullptr || napi_get_array_length(env, arguments[1], &rank) || rank > 8)
    return fail(env, "tensor: reshape takes a tensor and a shape.");
  int64_t shape[8];
  for (uint32_t axis = 0; axis < rank; axis++) {
    napi_get_element(env, arguments[1], axis, &entry);
    napi_get_value_int64(env, entry, shape + axis);
  }
  TF_Tensor *from = TFE_TensorHandleResolve(handle, status());
  if (!is_ok()) return fail(env, TF_Message(status()));
  const TF_DataType type = TF_TensorType(from);
  TF_Tensor *to = TF_AllocateTensor(type, nullptr, 0, TF_DataTypeSize(type));
  TF_TensorBitcastFrom(from, type, to, shape, static_cast<int>(rank), status());
  TF_DeleteTensor(from);
  TFE_TensorHandle *reshaped = is_ok() ? TFE_NewTensorHandle(to, status()) : nullptr;
  TF_DeleteTensor(to);
  if (!is_ok()) return fail(env, TF_Message(status()));
  return number(env, backend(env)->InsertHandle(reshaped));
}

// Whether a tensor lies on the device of the backend: else an operation there works on a copy. The
// device of the operation that made it would not do: what an operation on a GPU makes may lie on
// the host.
bool is_in_place(napi_env env, TFE_TensorHandle *handle) {
  const char *device = TFE_TensorHandleBackingDeviceName(handle, status());
  return is_ok() && backend(env)->device_name == device;
}

// ownersOf(id: number): number, how often TensorFlow counts the buffer of a tensor; 0 where it is
// not TensorFlow's own, lies on another device, or the headers do not tell. A tensor that has its
// buffer alone is counted as often as a new one.
napi_value owners_of(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value id;
  napi_get_cb_info(env, info, &given, &id, nullptr, nullptr);
  double owners = 0;
#ifdef LAB_INTERNALS
  TFE_TensorHandle *handle = handle_of(env, id);
  const tensorflow::Tensor *tensor = nullptr;
  if (handle != nullptr && is_in_place(env, handle) &&
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
                   {"labEmpty", empty},
                   {"labRun", run},
                   {"labAddressOf", address_of},
                   {"labOwnersOf", owners_of},
                   {"labReshape", reshape}};
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
