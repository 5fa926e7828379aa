/* graph/planner.h: places for tensors in one arena, by lifetimes. SPDX-License-Identifier: MIT */
#ifndef GRAPH_PLANNER_H
#define GRAPH_PLANNER_H

#include "graph/program.h"

/*
 * Gives every tensor of the arena its offset, and program->arena_bytes. Tensors whose lifetimes
 * overlap share no byte, but for steps that work in place: there the output takes the input's.
 */
ic_status ic_plan_memory(ic_program *program);

#endif
