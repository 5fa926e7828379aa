/* train/state.c: the state of a training as JSON. SPDX-License-Identifier: MIT */
#include "train/checkpoint.h"

typedef struct state_field {
    const char *name;
    size_t offset;
    bool real;
} state_field;

#define INTEGER(name)                                                                              \
    {                                                                                              \
#name, offsetof(ic_train_state, name), false                                               \
    }
#define REAL(name)                                                                                 \
    {                                                                                              \
#name, offsetof(ic_train_state, name), true                                                \
    }

static const state_field fields[] = {
    INTEGER(phase),
    INTEGER(epoch),
    INTEGER(batch),
    INTEGER(step),
    REAL(loss_sum),
    REAL(correct),
    REAL(seen),
    REAL(validation_loss_sum),
    REAL(validation_correct),
    REAL(validation_seen),
    INTEGER(best_epoch),
    REAL(best_accuracy),
    REAL(best_loss),
    INTEGER(epochs_since_best),
};

enum { FIELDS = sizeof fields / sizeof fields[0] };
static const char what[] = "the state of the training";

ic_status ic_train_state_to_json(const ic_train_state *state, json_t **out)
{
    ic_status status = IC_OK;
    json_t *json = json_object();
    for (size_t i = 0; i < FIELDS; i++) {
        const void *at = (const char *)state + fields[i].offset;
        json_t *value =
            fields[i].real ? json_real(*(const double *)at) : json_integer(*(const int64_t *)at);
        IC_TRY_CLEAN(ic_json_set(json, fields[i].name, value));
    }
    *out = json;
    return IC_OK;
cleanup:
    json_decref(json);
    return status;
}

ic_status ic_train_state_from_json(const json_t *json, ic_train_state *out)
{
    ic_train_state state = {0};
    for (size_t i = 0; i < FIELDS; i++) {
        void *at = (char *)&state + fields[i].offset;
        if (fields[i].real)
            IC_TRY(ic_json_float(json, fields[i].name, what, at));
        else
            IC_TRY(ic_json_int(json, fields[i].name, -1, INT64_C(1) << 40, what, at));
    }
    *out = state;
    return IC_OK;
}
