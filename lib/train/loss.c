/* train/loss.c: cross-entropy with label smoothing and class weights over a batch.
 * SPDX-License-Identifier: MIT */
#include "train/loss.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/status.h"

enum { PIECE_LOGITS = 8192 }; /* of one unit: small batches stay on one thread */

typedef struct loss_plan {
    const ic_loss *loss;
    int32_t count, piece_rows;
    const float *logits;
    ic_targets targets;
    const float *weights;
    float smoothing;
    float *gradients;
} loss_plan;

static ic_status set_weights(ic_loss *loss, const int64_t *counts)
{
    int64_t pictures = 0;
    int32_t present = 0;
    for (int32_t k = 0; k < loss->classes; k++) {
        pictures += counts[k];
        present += counts[k] > 0;
    }
    IC_TRY(ic_allocate_array(loss->context, (size_t)loss->classes, sizeof(float), &loss->weights));
    for (int32_t k = 0; k < loss->classes; k++) {
        double share = (double)present * (double)counts[k];
        loss->weights[k] = counts[k] > 0 ? (float)((double)pictures / share) : 1.0F;
    }
    return IC_OK;
}

ic_status ic_loss_create(ic_context *context, int32_t classes, int32_t batch, double smoothing,
                         const int64_t *counts, ic_loss **out)
{
    ic_status status = IC_OK;
    ic_loss *made = NULL;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    made->context = context;
    made->kernels = ic_kernels_at(context->cpu_level);
    made->classes = classes;
    made->smoothing = (float)smoothing;
    IC_TRY_CLEAN(ic_context_pool(context, &made->pool));
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)batch, sizeof(float), &made->rows));
    if (counts)
        IC_TRY_CLEAN(set_weights(made, counts));
    *out = made;
    made = NULL;
cleanup:
    ic_loss_free(made);
    return status;
}

void ic_loss_free(ic_loss *loss)
{
    if (!loss)
        return;
    ic_free(loss->context, loss->weights);
    ic_free(loss->context, loss->rows);
    ic_free(loss->context, loss);
}

static ic_status loss_piece(void *arguments, int64_t unit, int32_t worker)
{
    const loss_plan *plan = arguments;
    const ic_loss *loss = plan->loss;
    int64_t row = unit * plan->piece_rows;
    int64_t left = plan->count - row;
    int64_t rows = left < plan->piece_rows ? left : plan->piece_rows;
    int64_t at = row * loss->classes;
    ic_targets targets = {.labels = plan->targets.labels + row};
    if (plan->targets.partners) {
        targets.partners = plan->targets.partners + row;
        targets.shares = plan->targets.shares + row;
    }
    loss->kernels->cross_entropy(rows, loss->classes, plan->logits + at, &targets, plan->smoothing,
                                 plan->weights, 1.0F / (float)plan->count, loss->rows + row,
                                 plan->gradients ? plan->gradients + at : NULL);
    return IC_OK;
}

static int32_t main_label(const ic_targets *targets, int32_t row)
{
    bool partner = targets->partners && targets->shares[row] < 0.5F;
    return partner ? targets->partners[row] : targets->labels[row];
}

static ic_status run(const loss_plan *plan, ic_loss_sums *out)
{
    const ic_loss *loss = plan->loss;
    ic_loss_sums sums = {0};
    int64_t units = (plan->count + plan->piece_rows - 1) / plan->piece_rows;
    IC_TRY(ic_pool_run(loss->pool, units, loss_piece, (void *)plan));
    for (int32_t row = 0; row < plan->count; row++) {
        const float *logits = plan->logits + (int64_t)row * loss->classes;
        sums.loss += loss->rows[row];
        sums.correct += ic_largest(logits, loss->classes) == main_label(&plan->targets, row);
    }
    *out = sums;
    return IC_OK;
}

static int32_t rows_of_a_piece(const ic_loss *loss)
{
    int32_t rows = PIECE_LOGITS / loss->classes;
    return rows > 1 ? rows : 1;
}

ic_status ic_loss_train(ic_loss *loss, int32_t count, const float *logits,
                        const ic_targets *targets, float *gradients, ic_loss_sums *out)
{
    loss_plan plan = {.loss = loss,
                      .count = count,
                      .piece_rows = rows_of_a_piece(loss),
                      .logits = logits,
                      .targets = *targets,
                      .weights = loss->weights,
                      .smoothing = loss->smoothing,
                      .gradients = gradients};
    return run(&plan, out);
}

ic_status ic_loss_measure(ic_loss *loss, int32_t count, const float *logits, const int32_t *labels,
                          ic_loss_sums *out)
{
    loss_plan plan = {.loss = loss,
                      .count = count,
                      .piece_rows = rows_of_a_piece(loss),
                      .logits = logits,
                      .targets = {.labels = labels}};
    return run(&plan, out);
}
