/* train/resizing.c: the stages of progressive resizing. SPDX-License-Identifier: MIT */
#include "train/resizing.h"

#include "base/status.h"
#include "base/text.h"

#include <string.h>

enum { LARGE_SIDE = 64, LARGE_GRAIN = 16, SMALL_GRAIN = 4 };

/* Of the training, in which pictures grow. */
static const double growing = 0.7;

static int32_t side_at(int32_t full, double share)
{
    int32_t grain = full >= LARGE_SIDE ? LARGE_GRAIN : SMALL_GRAIN;
    int32_t side = (int32_t)(full * share / grain + 0.5) * grain;
    side = side < grain ? grain : side;
    return share < 1 && side < full ? side : full;
}

/* The first parameter that another graph of the same nodes has in another shape; NULL: none. */
static const char *other_parameter(const ic_graph *a, const ic_graph *b)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(a); i++) {
        const ic_parameter *p = ic_graph_parameter(a, i), *q = ic_graph_parameter(b, i);
        if (memcmp(p->shape, q->shape, sizeof p->shape) != 0)
            return p->name;
    }
    return NULL;
}

static ic_status make_graph(const ic_model *model, double from, ic_stage *stage)
{
    char share[IC_TEXT_FLOAT_MAX];
    ic_shape input = {stage->height, stage->width, model->pipeline.channels};
    ic_status status = ic_graph_remake(model->graph, input, model->class_count, &stage->graph);
    ic_text_float(from, 6, share);
    if (status == IC_ERROR_MEMORY)
        return status;
    if (status < 0)
        return ic_fail_prefix(
            IC_ERROR_OPTION,
            "with resize_from %s the network %s would begin with pictures of %d x "
            "%d, which are too small for it; set resize_from higher: ",
            share, model->network, (int)stage->width, (int)stage->height);
    const char *name = other_parameter(model->graph, stage->graph);
    if (!name)
        return IC_OK;
    return ic_fail(IC_ERROR_OPTION,
                   "resize_from or resize_to %s: the network %s has a weight for each place of its "
                   "input (%s), so "
                   "it learns from pictures of one size only: leave them at 1, or take a "
                   "network that pools the whole picture, as resnet18 does",
                   share, model->network, name);
}

ic_status ic_resizing_plan(const ic_model *model, const ic_training_recipe *recipe,
                           ic_resizing *out)
{
    const ic_pipeline *full = &model->pipeline;
    double from = recipe->resize_from, to = recipe->resize_to;
    from = from < to ? from : to;
    for (int32_t i = 0; i < IC_STAGES; i++) {
        ic_stage *stage = &out->stages[i], *before = i > 0 ? stage - 1 : NULL;
        bool last = i + 1 == IC_STAGES;
        double share = last ? to : from + (to - from) * i / (IC_STAGES - 1);
        stage->until = last ? 1 : growing * (i + 1) / (IC_STAGES - 1);
        stage->width = side_at(full->width, share);
        stage->height = side_at(full->height, share);
        stage->work = (double)stage->width * stage->height / ((double)full->width * full->height);
        if (stage->width == full->width && stage->height == full->height)
            stage->graph = ic_graph_retain(model->graph);
        else if (before && stage->width == before->width && stage->height == before->height)
            stage->graph = ic_graph_retain(before->graph);
        else
            IC_TRY(make_graph(model, from, stage));
    }
    return IC_OK;
}

void ic_resizing_free(ic_resizing *resizing)
{
    for (int32_t i = 0; i < IC_STAGES; i++)
        ic_graph_free(resizing->stages[i].graph);
}

const ic_stage *ic_resizing_stage(const ic_resizing *resizing, double share)
{
    int32_t i = 0;
    while (i + 1 < IC_STAGES && share >= resizing->stages[i].until)
        i++;
    return &resizing->stages[i];
}

double ic_resizing_work(const ic_resizing *resizing, double share)
{
    double work = 0, at = share;
    if (share >= 1)
        return resizing->stages[IC_STAGES - 1].work;
    for (int32_t i = 0; i < IC_STAGES; i++) {
        const ic_stage *stage = &resizing->stages[i];
        if (stage->until <= at)
            continue;
        work += (stage->until - at) * stage->work;
        at = stage->until;
    }
    return work / (1 - share);
}
