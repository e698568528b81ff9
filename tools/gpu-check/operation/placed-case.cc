#include "placed-case.h"

#include <algorithm>

namespace {

// Items of a block where the kernel has no say in it: few, so that there are many blocks.
constexpr double BLOCK = 3;
// The kernel that leaves one part of its result for a block, and the word that says of how many.
constexpr const char *PARTED_KERNEL = "attention_sent";
constexpr size_t PARTED_WORD = 11;

constexpr const char *PRODUCT = "product";

bool is_address(char type) { return type == 'p' || type == 'a'; }

// to [m, n] = a [m, k] b [k, n]; a is stored [k, m] and b [n, k] when they are turned.
std::vector<float> product(const std::vector<size_t> &sizes, const float *a, const float *b) {
  const size_t m = sizes[0], n = sizes[1], k = sizes[2];
  const bool is_a_turned = sizes[3] != 0, is_b_turned = sizes[4] != 0;
  std::vector<float> to(m * n);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      double sum = 0;
      for (size_t t = 0; t < k; t++)
        sum += (double)a[is_a_turned ? t * m + i : i * k + t] *
               b[is_b_turned ? j * k + t : t * n + j];
      to[i * n + j] = (float)sum;
    }
  return to;
}

}  // namespace

size_t place_of(const Addon &addon, const std::string &kernel) {
  for (size_t i = 0; i < addon.launchers.size(); i++)
    if (addon.launchers[i].name == kernel) return i;
  throw std::runtime_error("the operation has no kernel " + kernel);
}

double token_of(size_t place, size_t bytes) {
  return (double)(place + 1) * 17592186044416.0 + (double)bytes;  // 2^44
}

PlacedCase::PlacedCase(const Session &session, const Case &of) : session_(session), case_(of) {
  for (const auto &[name, form] : of.buffers) tensors_[name] = session.framework.add(form.count);
  reset();
}

void PlacedCase::reset() const {
  for (const auto &[name, form] : case_.buffers) {
    Bytes bytes(4 * form.count, FILL);
    if (form.given != nullptr) std::copy_n(form.given, bytes.size(), bytes.begin());
    session_.machine.write(session_.framework.data(tensors_.at(name)), bytes.data(), bytes.size());
  }
}

void PlacedCase::run(StreamOf stream) const {
  for (const CaseCall &call : case_.calls) {
    if (call.kernel == PRODUCT) {
      multiply(call);
      continue;
    }
    Run run = run_of(call);
    run.stream = stream;
    const Outcome outcome = session_.framework.run(run);
    if (outcome.code != 0) throw std::runtime_error(call.kernel + ": " + outcome.message);
  }
}

Contents PlacedCase::read() const {
  Contents all;
  for (const auto &[name, form] : case_.buffers) {
    Bytes &bytes = all[name];
    bytes.resize(4 * form.count);
    const void *place = session_.framework.data(tensors_.at(name));
    session_.machine.read(bytes.data(), place, bytes.size());
  }
  return all;
}

bool PlacedCase::has_products() const {
  const auto &calls = case_.calls;
  const auto is_product = [](const CaseCall &call) { return call.kernel == PRODUCT; };
  return std::any_of(calls.begin(), calls.end(), is_product);
}

// The job as src/native/operation-kernels.ts writes it. A kernel of blocks has the number of items
// before its own values.
Run PlacedCase::run_of(const CaseCall &call) const {
  const size_t place = place_of(session_.addon, call.kernel);
  const std::string &types = session_.addon.launchers[place].types;
  const size_t extra = call.words.size() - types.size();
  if (extra > 1) throw std::runtime_error("wrong argument count for " + call.kernel);
  const double count = extra == 1 ? call.words[0].number : 0;
  const double block = call.kernel == PARTED_KERNEL ? call.words[PARTED_WORD].number : BLOCK;
  Run run = {session_.addon.operation, {(double)place, count, block, 0, 0}, {}, StreamOf::DEVICE};
  for (size_t i = 0; i < types.size(); i++) {
    const Word &word = call.words[i + extra];
    if (is_address(types[i]) != word.is_address)
      throw std::runtime_error("wrong argument for " + call.kernel);
    double value = word.number;
    if (word.is_address && !word.buffer.empty()) {
      const size_t tensor = tensors_.at(word.buffer);
      auto known = std::find(run.tensors.begin(), run.tensors.end(), tensor);
      if (known == run.tensors.end()) known = run.tensors.insert(known, tensor);
      value = token_of((size_t)(known - run.tensors.begin()), 4 * word.shift);
    }
    run.job.push_back(value);
  }
  return run;
}

char *PlacedCase::address_of(const Word &word) const {
  return (char *)session_.framework.data(tensors_.at(word.buffer)) + 4 * word.shift;
}

void PlacedCase::multiply(const CaseCall &call) const {
  Machine &machine = session_.machine;
  std::vector<size_t> sizes;
  for (size_t i = 0; i < 5; i++) sizes.push_back((size_t)call.words[i].number);
  std::vector<float> a(sizes[0] * sizes[2]), b(sizes[2] * sizes[1]);
  machine.wait();
  machine.read(a.data(), address_of(call.words[5]), 4 * a.size());
  machine.read(b.data(), address_of(call.words[6]), 4 * b.size());
  const std::vector<float> to = product(sizes, a.data(), b.data());
  machine.write(address_of(call.words[7]), to.data(), 4 * to.size());
}
