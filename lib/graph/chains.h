/*
 * graph/chains.h: inference takes depthwise convolutions and the pointwise ones around them in one
 * step. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_CHAINS_H
#define GRAPH_CHAINS_H

#include "graph/program.h"

/* Finds such steps in a lowered program, before its memory is planned. */
ic_status ic_program_chain(ic_program *program);

#endif
