// A case of the GPU check whose buffers are tensors of TensorFlow and whose calls are runs of the
// operation.
#pragma once

#include "addon.h"
#include "driver-cases.h"
#include "framework.h"

// What all cases have in common.
struct Session {
  Machine &machine;
  Framework &framework;
  const Addon &addon;
};

// What the buffers hold, by their names.
using Contents = std::map<std::string, Bytes>;

// The place of a kernel in the table of launchers; throws when it is not there.
size_t place_of(const Addon &addon, const std::string &kernel);

// How an address is written in a job: bytes from the start of the tensor at a place of the run.
double token_of(size_t place, size_t bytes);

class PlacedCase {
 public:
  PlacedCase(const Session &session, const Case &of);
  PlacedCase(const PlacedCase &) = delete;
  PlacedCase &operator=(const PlacedCase &) = delete;

  // Puts into every buffer what it holds before a run.
  void reset() const;
  // Runs the calls; throws when one fails. Dense products, which TensorFlow computes itself, are
  // computed on the host: they wait for the stream.
  void run(StreamOf stream) const;
  Contents read() const;
  bool has_products() const;

 private:
  Run run_of(const CaseCall &call) const;
  void multiply(const CaseCall &call) const;
  char *address_of(const Word &word) const;

  const Session &session_;
  const Case &case_;
  std::map<std::string, size_t> tensors_;
};
