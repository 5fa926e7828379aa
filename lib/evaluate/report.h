/* evaluate/report.h: what plots read of a report besides its public getters.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATE_REPORT_H
#define EVALUATE_REPORT_H

#include "base/context.h"

#include <imgcls/report.h>

ic_context *ic_report_context(const ic_report *report);

#endif
