/*
 * evaluate/decisions.c: what the costs of mistakes that a model keeps make of its answers.
 * SPDX-License-Identifier: MIT
 */
#include "base/memory.h"
#include "base/status.h"
#include "evaluate/evaluation.h"
#include "model/decision.h"

static void count_decisions(const ic_scores *scores, const double *costs, ic_decisions *out)
{
    const int64_t classes = scores->classes;
    int64_t right = 0;
    for (int64_t i = 0; i < scores->count; i++) {
        const int64_t actual = scores->labels[i];
        const int64_t called =
            ic_costs_decide(costs, scores->classes, scores->probabilities + i * classes);
        out->counts[actual * classes + called]++;
        out->cost += costs[actual * classes + called];
        right += called == actual;
    }
    out->accuracy = (double)right / (double)scores->count;
    out->cost /= (double)scores->count;
}

ic_status ic_report_decide(ic_report *report)
{
    double *costs = NULL;
    ic_decisions made = {0};
    ic_status status = IC_OK;
    if (report == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_decide: report is NULL");
    const size_t classes = (size_t)report->scores.classes;
    IC_TRY_CLEAN(ic_model_costs_copy(report->model, &costs));
    if (costs != NULL) {
        IC_TRY_CLEAN(ic_allocate_zero(report->context, classes * classes * sizeof *made.counts,
                                      &made.counts));
        count_decisions(&report->scores, costs, &made);
    }
    ic_free(report->context, report->decisions.counts);
    report->decisions = made;
cleanup:
    ic_free(report->context, costs);
    return status;
}

ic_status ic_report_check_decisions(const ic_report *report)
{
    return report->decisions.counts != NULL
               ? IC_OK
               : ic_fail(IC_ERROR_NOT_FOUND,
                         "the model keeps no costs of mistakes: ic_model_set_threshold and "
                         "ic_model_set_costs set them, also imgcls decide");
}

ic_status ic_report_decision(const ic_report *report, int32_t actual, int32_t called, int64_t *out)
{
    if (report == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_decision: %s is NULL",
                       report == NULL ? "report" : "out");
    IC_TRY(ic_report_check_decisions(report));
    IC_TRY(ic_report_check_class(report, actual, "ic_report_decision"));
    IC_TRY(ic_report_check_class(report, called, "ic_report_decision"));
    *out = report->decisions.counts[(int64_t)actual * report->scores.classes + called];
    return IC_OK;
}
