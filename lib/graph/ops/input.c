/* graph/ops/input.c: node 0, the batch that the caller fills in. SPDX-License-Identifier: MIT */
#include "graph/node.h"

const ic_operator ic_operator_input = {.name = "input"};
