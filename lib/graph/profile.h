/* graph/profile.h: where an executor's time goes, for benchmarks. SPDX-License-Identifier: MIT */
#ifndef GRAPH_PROFILE_H
#define GRAPH_PROFILE_H

#include "graph/executor.h"

/* From now on each run adds the seconds of step i to seconds[i]; NULL: no longer. */
void ic_executor_set_profile(ic_executor *executor, double *seconds);

int32_t ic_executor_step_count(const ic_executor *executor);

/* What a step is and for which node it is done; both borrowed. */
void ic_executor_step(const ic_executor *executor, int32_t index, const char **kind,
                      const char **node);

#endif
