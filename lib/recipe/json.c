/* recipe/json.c: training settings under the names of their options, so that they can be repeated.
 * SPDX-License-Identifier: MIT */
#include "recipe/recipe.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

const char *const ic_optimizer_names[] = {"sgd", "adamw", "muon", NULL};
const char *const ic_schedule_names[] = {"one-cycle", "cosine",   "constant",
                                         "step",      "triangle", NULL};
const char *const ic_turns_names[] = {"none", "half", "quarter", NULL};
const char *const ic_average_names[] = {"none", "ema", "lookahead", NULL};

/* What goes with one kind of optimiser or schedule alone stays out where that is not used. */
static ic_status set_optimiser(json_t *json, const ic_training_recipe *recipe)
{
    IC_TRY(ic_json_set(json, "optimizer", json_string(ic_optimizer_names[recipe->optimizer])));
    IC_TRY(ic_json_set(json, "learning_rate", json_real(recipe->learning_rate)));
    if (recipe->optimizer == IC_OPTIMIZER_MUON)
        IC_TRY(ic_json_set(json, "sgd_rate", json_real(recipe->sgd_rate)));
    IC_TRY(ic_json_set(json, "momentum", json_real(recipe->momentum)));
    IC_TRY(ic_json_set(json, "weight_decay", json_real(recipe->weight_decay)));
    IC_TRY(ic_json_set(json, "clip_norm", json_real(recipe->clip_norm)));
    IC_TRY(ic_json_set(json, "accumulate", json_integer(recipe->accumulate)));
    IC_TRY(ic_json_set(json, "average", json_string(ic_average_names[recipe->average])));
    if (recipe->average == IC_AVERAGE_EMA)
        IC_TRY(ic_json_set(json, "ema_decay", json_real(recipe->ema_decay)));
    const char *rates = recipe->rates[0] != '\0' ? recipe->rates : "none";
    return ic_json_set(json, "rates", json_string(rates));
}

static ic_status set_schedule(json_t *json, const ic_training_recipe *recipe)
{
    IC_TRY(ic_json_set(json, "schedule", json_string(ic_schedule_names[recipe->schedule])));
    if (recipe->schedule == IC_SCHEDULE_STEP) {
        IC_TRY(ic_json_set(json, "step_epochs", json_real(recipe->step_epochs)));
        IC_TRY(ic_json_set(json, "step_factor", json_real(recipe->step_factor)));
    }
    return ic_json_set(json, "warmup_epochs", json_real(recipe->warmup_epochs));
}

/* A float as people wrote it: 0.35, not 0.349999994. */
static json_t *short_real(float value)
{
    char text[IC_TEXT_FLOAT_MAX];
    double written = value;
    if (ic_text_shortest_float(value, text))
        ic_parse_float(text, &written);
    return json_real(written);
}

static ic_status set_augment(json_t *json, const ic_augment *augment)
{
    static const char *const flips[] = {
        [IC_FLIP_OFF] = "off", [IC_FLIP_ON] = "on", [IC_FLIP_ALTERNATING] = "alternating"};
    const char *policy = augment->policy == IC_POLICY_TRIVIAL ? "trivial" : "none";
    IC_TRY(ic_json_set(json, "flip", json_string(flips[augment->flip])));
    IC_TRY(ic_json_set(json, "turns", json_string(ic_turns_names[augment->turns])));
    IC_TRY(ic_json_set(json, "shift", json_integer(augment->shift)));
    IC_TRY(ic_json_set(json, "crop_scale", short_real(augment->crop_scale)));
    IC_TRY(ic_json_set(json, "crop_aspect", short_real(augment->crop_aspect)));
    IC_TRY(ic_json_set(json, "rotation", short_real(augment->rotation)));
    IC_TRY(ic_json_set(json, "brightness", short_real(augment->brightness)));
    IC_TRY(ic_json_set(json, "contrast", short_real(augment->contrast)));
    IC_TRY(ic_json_set(json, "saturation", short_real(augment->saturation)));
    IC_TRY(ic_json_set(json, "erasing", short_real(augment->erasing)));
    IC_TRY(ic_json_set(json, "policy", json_string(policy)));
    IC_TRY(ic_json_set(json, "blur", short_real(augment->blur)));
    return ic_json_set(json, "noise", short_real(augment->noise));
}

static ic_status set_changes(json_t *json, const ic_training_recipe *recipe)
{
    char text[IC_CHANGES_MAX * 48] = "";
    size_t length = 0;
    for (int32_t i = 0; i < recipe->change_count; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%lld:%lld", i > 0 ? "," : "",
                             (long long)recipe->changes[i].at, (long long)recipe->changes[i].steps);
    return length > 0 ? ic_json_set(json, "replan", json_string(text)) : IC_OK;
}

static ic_status set_trust(json_t *json, const ic_training_recipe *recipe)
{
    IC_TRY(ic_json_set(json, "calibrate", json_string(recipe->calibrate ? "on" : "off")));
    IC_TRY(ic_json_set(json, "unknown", json_string(recipe->unknown ? "on" : "off")));
    return recipe->unknown ? ic_json_set(json, "unknown_share", json_real(recipe->unknown_share))
                           : IC_OK;
}

static ic_status fill(json_t *json, const ic_training_recipe *recipe)
{
    const char *weights = recipe->balanced_weights ? "balanced" : "none";
    bool whole = recipe->epochs == floor(recipe->epochs);
    IC_TRY(
        ic_json_set(json, "epochs",
                    whole ? json_integer((json_int_t)recipe->epochs) : json_real(recipe->epochs)));
    IC_TRY(set_changes(json, recipe));
    IC_TRY(ic_json_set(json, "batch_size", json_integer(recipe->batch)));
    IC_TRY(set_optimiser(json, recipe));
    IC_TRY(set_schedule(json, recipe));
    IC_TRY(ic_json_set(json, "label_smoothing", json_real(recipe->label_smoothing)));
    IC_TRY(ic_json_set(json, "class_weights", json_string(weights)));
    const char *sampling = recipe->balanced_sampling ? "balanced" : "none";
    IC_TRY(ic_json_set(json, "sampling", json_string(sampling)));
    IC_TRY(ic_json_set(json, "patience", json_integer(recipe->patience)));
    IC_TRY(set_augment(json, &recipe->augment));
    IC_TRY(ic_json_set(json, "resize_from", json_real(recipe->resize_from)));
    IC_TRY(ic_json_set(json, "resize_to", json_real(recipe->resize_to)));
    IC_TRY(ic_json_set(json, "mixup", json_real(recipe->mixup)));
    IC_TRY(ic_json_set(json, "cutmix", json_real(recipe->cutmix)));
    IC_TRY(ic_json_set(json, "mix_probability", json_real(recipe->mix_probability)));
    IC_TRY(set_trust(json, recipe));
    IC_TRY(ic_json_set(json, "seed", json_integer((json_int_t)recipe->seed)));
    return ic_json_set(json, "validation_share", json_real(recipe->validation_share));
}

ic_status ic_training_recipe_to_json(const ic_training_recipe *recipe, json_t **out)
{
    ic_status status = IC_OK;
    json_t *json = json_object();
    if (!json)
        return ic_fail(IC_ERROR_MEMORY, "no memory for the settings of the training");
    IC_TRY_CLEAN(fill(json, recipe));
    *out = json;
    json = NULL;
cleanup:
    json_decref(json);
    return status;
}

static ic_status set_option(ic_options *options, const char *name, const json_t *value)
{
    if (json_is_string(value))
        return ic_options_set_text(options, name, json_string_value(value));
    if (json_is_number(value))
        return ic_options_set_float(options, name, json_number_value(value));
    return ic_fail(IC_ERROR_FORMAT, "the setting \"%.40s\" is neither a number nor a text", name);
}

ic_status ic_training_recipe_options(ic_context *context, const json_t *json, ic_options **out)
{
    ic_options *options = NULL;
    const char *name;
    json_t *value;
    IC_TRY(ic_options_create(context, &options));
    ic_status status = IC_OK;
    json_object_foreach((json_t *)json, name, value) IC_TRY_CLEAN(set_option(options, name, value));
    *out = options;
    return IC_OK;
cleanup:
    ic_options_free(options);
    return status;
}
