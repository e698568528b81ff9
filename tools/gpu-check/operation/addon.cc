// The few functions of Node's interface for addons that ops.cc calls, on values of our own.
#include "addon.h"

#include <dlfcn.h>
#include <node_api.h>

#include <deque>
#include <map>
#include <stdexcept>

struct napi_value__ {
  std::string text;
  bool is_true = false;
  std::vector<napi_value> entries;
  std::map<std::string, napi_value> properties;
};

namespace {

std::string thrown;

napi_status make_value(napi_value *result, const napi_value__ &value) {
  static std::deque<napi_value__> values;
  values.push_back(value);
  *result = &values.back();
  return napi_ok;
}

}  // namespace

extern "C" {

napi_status napi_create_string_utf8(napi_env, const char *text, size_t length,
                                    napi_value *result) {
  napi_value__ value;
  value.text = length == NAPI_AUTO_LENGTH ? std::string(text) : std::string(text, length);
  return make_value(result, value);
}

napi_status napi_create_array_with_length(napi_env, size_t length, napi_value *result) {
  napi_value__ value;
  value.entries.resize(length);
  return make_value(result, value);
}

napi_status napi_get_boolean(napi_env, bool is_true, napi_value *result) {
  napi_value__ value;
  value.is_true = is_true;
  return make_value(result, value);
}

napi_status napi_set_element(napi_env, napi_value list, uint32_t index, napi_value entry) {
  list->entries.at(index) = entry;
  return napi_ok;
}

napi_status napi_set_named_property(napi_env, napi_value object, const char *name,
                                    napi_value value) {
  object->properties[name] = value;
  return napi_ok;
}

napi_status napi_throw_error(napi_env, const char *, const char *message) {
  thrown = message;
  return napi_ok;
}

}  // extern "C"

Addon load_addon(const std::string &path) {
  void *library = dlopen(path.c_str(), RTLD_LAZY);
  if (library == nullptr) throw std::runtime_error(dlerror());
  using Register = napi_value (*)(napi_env, napi_value);
  const auto call = reinterpret_cast<Register>(dlsym(library, "napi_register_module_v1"));
  if (call == nullptr) throw std::runtime_error(path + " is no addon");
  napi_value__ exports;
  thrown.clear();
  call(nullptr, &exports);
  if (!thrown.empty()) throw std::runtime_error(thrown);
  Addon addon;
  addon.operation = exports.properties.at("operation")->text;
  addon.is_cuda = exports.properties.at("isCuda")->is_true;
  for (const napi_value entry : exports.properties.at("launchers")->entries)
    addon.launchers.push_back({entry->entries.at(0)->text, entry->entries.at(1)->text});
  return addon;
}
