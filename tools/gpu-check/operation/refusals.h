// What the operation has to refuse: by a status that says why, with the tensors left as they were.
#pragma once

#include "placed-case.h"

struct Refusals {
  int count;
  std::vector<std::string> failures;
};

Refusals check_refusals(const Session &session);
