/* train/rates.c: from patterns of names to runs of the flat parameters. SPDX-License-Identifier:
 * MIT
 */
#include "train/rates.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <string.h>

/* One entry of the recipe's rates. */
typedef struct rate {
    const char *pattern; /* `length` bytes of the recipe's text */
    int32_t length;
    double factor;
    int64_t epochs;
} rate;

static const rate full_rate = {.factor = 1, .epochs = INT64_MAX};

/*
 * Whether all of name fits the pattern: * stands for any text, ? for one character. Where a name
 * fails, the last * takes one more character; no earlier one needs to.
 */
static bool fits(const rate *r, const char *name)
{
    const char *p = r->pattern, *end = p + r->length, *star = NULL, *from = NULL;
    while (*name != '\0') {
        if (p < end && *p == '*') {
            star = ++p;
            from = name;
        } else if (p < end && (*p == '?' || *p == *name)) {
            p++;
            name++;
        } else if (star) {
            p = star;
            name = ++from;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

static ic_status refuse(const char *item, int32_t length, const char *what)
{
    return ic_fail(IC_ERROR_OPTION,
                   "\"%.*s\" in \"rates\" %s: write PATTERN=FACTOR, or PATTERN=FACTOR@EPOCHS, such "
                   "as fc.*=10 or conv1.bias=1@3",
                   (int)length, item, what);
}

/* Reads the entry that *text begins with, and moves on to the next one. */
static ic_status read_rate(const char **text, rate *out)
{
    char copy[IC_RATES_MAX];
    const char *item = *text;
    int32_t length = (int32_t)strcspn(item, ",");
    *text += length + (item[length] == ',');
    memcpy(copy, item, (size_t)length);
    copy[length] = '\0';
    char *factor = strchr(copy, '=');
    if (!factor || factor == copy)
        return refuse(item, length, "names no factor");
    char *epochs = strchr(factor, '@');
    *out = full_rate;
    out->pattern = item;
    out->length = (int32_t)(factor - copy);
    if (epochs) {
        *epochs = '\0';
        if (!ic_parse_int(epochs + 1, &out->epochs) || out->epochs < 0)
            return refuse(item, length, "has no whole number behind @");
    }
    if (!ic_parse_float(factor + 1, &out->factor) || out->factor < 0 || out->factor > 1e6)
        return refuse(item, length, "has no factor of 0 to 1000000");
    return IC_OK;
}

/* A pattern that fits nothing is a mistake; so that it can be put right, some name is shown. */
static ic_status check_patterns(const ic_graph *graph, const char *text)
{
    int32_t parameters = ic_graph_parameter_count(graph);
    while (*text != '\0') {
        rate r;
        bool used = false;
        IC_TRY(read_rate(&text, &r));
        for (int32_t i = 0; i < parameters && !used; i++) {
            const ic_parameter *p = ic_graph_parameter(graph, i);
            used = p->role != IC_ROLE_STATISTIC && fits(&r, p->name);
        }
        if (!used)
            return ic_fail(IC_ERROR_OPTION,
                           "\"%.*s\" in \"rates\" or \"freeze\" fits no parameter of the network: "
                           "they have names such as \"%s\"",
                           (int)r.length, r.pattern,
                           parameters > 0 ? ic_graph_parameter(graph, 0)->name : "");
    }
    return IC_OK;
}

/* Of checked patterns, the first that fits. */
static ic_status find_rate(const char *text, const char *name, rate *out)
{
    while (*text != '\0') {
        IC_TRY(read_rate(&text, out));
        if (fits(out, name))
            return IC_OK;
    }
    *out = full_rate;
    return IC_OK;
}

/* The layer that gives the logits: its weight is the last one. */
static int32_t last_weight(const ic_graph *graph)
{
    int32_t last = ic_graph_parameter_count(graph) - 1;
    while (last >= 0 && ic_graph_parameter(graph, last)->role != IC_ROLE_WEIGHT)
        last--;
    return last;
}

static void append(ic_parameter_run *runs, int32_t *count, const ic_parameter_run *run)
{
    ic_parameter_run *last = runs + *count - 1;
    if (*count > 0 && last->rows == 0 && run->rows == 0 && last->decays == run->decays &&
        last->factor == run->factor && last->epochs == run->epochs)
        last->count = run->offset + run->count - last->offset; /* gaps are zeros, and stay so */
    else
        runs[(*count)++] = *run;
}

ic_status ic_rates_resolve(ic_context *context, const ic_graph *graph,
                           const ic_training_recipe *recipe, ic_parameter_run **out, int32_t *count)
{
    ic_status status = IC_OK;
    ic_parameter_run *runs = NULL;
    int32_t parameters = ic_graph_parameter_count(graph), made = 0, last = last_weight(graph);
    IC_TRY(check_patterns(graph, recipe->rates));
    IC_TRY(ic_allocate_array(context, (size_t)parameters + 1, sizeof *runs, &runs));
    for (int32_t role = IC_ROLE_WEIGHT; role <= IC_ROLE_BIAS; role++)
        for (int32_t i = 0; i < parameters; i++) {
            const ic_parameter *p = ic_graph_parameter(graph, i);
            rate r;
            if ((int32_t)p->role != role)
                continue;
            IC_TRY_CLEAN(find_rate(recipe->rates, p->name, &r));
            ic_parameter_run run = {p->offset, p->count, r.factor, r.epochs, role == IC_ROLE_WEIGHT,
                                    0,         0};
            if (recipe->optimizer == IC_OPTIMIZER_MUON && run.decays && i != last) {
                run.rows = (int32_t)p->shape[0];
                run.columns = (int32_t)(p->count / p->shape[0]);
            }
            append(runs, &made, &run);
        }
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    runs[made] = (ic_parameter_run){.offset = sizes.trained, .count = sizes.total - sizes.trained};
    *out = runs;
    *count = made;
    runs = NULL;
cleanup:
    ic_free(context, runs);
    return status;
}

bool ic_rates_trained(const ic_parameter_run *runs, const ic_graph *graph, int64_t epoch,
                      bool *trained)
{
    bool changed = false;
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter_run *run = runs;
        while (ic_graph_parameter(graph, i)->offset >= run->offset + run->count)
            run++;
        changed = changed || trained[i] != ic_run_trains(run, epoch);
        trained[i] = ic_run_trains(run, epoch);
    }
    return changed;
}
