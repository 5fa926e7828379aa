/* recipe/test_recipe.c: what auto sees in pictures, and what it chooses. SPDX-License-Identifier:
 * MIT */
#include "support/support.h"

#include "base/options.h"
#include "recipe/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Help ---- */

static ic_options *options_of(ic_context *context, const char *const *pairs)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    for (; pairs && *pairs; pairs += 2)
        assert_ok(ic_options_set_text(options, pairs[0], pairs[1]));
    return options;
}

static ic_data_facts facts_of(int64_t pictures, int32_t side, bool grey, bool same_size)
{
    return (ic_data_facts){.pictures = pictures,
                           .median_width = side,
                           .median_height = side,
                           .grey = grey,
                           .same_size = same_size,
                           .slowness = 1};
}

static ic_model_recipe model_recipe(const ic_data_facts *facts, const char *const *pairs)
{
    ic_context *context = test_context(1);
    ic_options *options = options_of(context, pairs);
    ic_model_recipe recipe;
    assert_ok(ic_recipe_model(context, facts, options, &recipe));
    if (strcmp(ic_option_text(options, "network"), "auto") != 0) {
        assert_ptr_equal(recipe.network, ic_option_text(options, "network"));
        recipe.network = "asked for"; /* the text goes with the options */
    }
    ic_options_free(options);
    ic_context_free(context);
    return recipe;
}

static ic_training_recipe training_recipe(const ic_data_facts *facts, const char *const *pairs)
{
    ic_context *context = test_context(1);
    ic_options *options = options_of(context, pairs);
    ic_model_recipe model;
    ic_training_recipe recipe;
    assert_ok(ic_recipe_model(context, facts, options, &model));
    assert_ok(ic_recipe_training(context, facts, model.network, &model.pipeline, options, &recipe));
    ic_options_free(options);
    ic_context_free(context);
    return recipe;
}

/* ---- Looking ---- */

static ic_image *filled(ic_context *context, int32_t width, int32_t height, int r, int g, int b)
{
    ic_image *image;
    unsigned char *pixels = malloc((size_t)(width * height * 3));
    assert_non_null(pixels);
    for (int32_t i = 0; i < width * height; i++) {
        pixels[3 * i] = (unsigned char)(r + i % 50);
        pixels[3 * i + 1] = (unsigned char)(g + i % 50);
        pixels[3 * i + 2] = (unsigned char)(b + i % 50);
    }
    assert_ok(ic_image_from_pixels(context, pixels, width, height, 0, IC_PIXELS_RGB8, &image));
    free(pixels);
    return image;
}

static ic_data_facts look_at(int32_t count, const int32_t (*sizes)[2], int r, int g, int b)
{
    ic_context *context = test_context(1);
    ic_dataset *data;
    ic_data_facts facts;
    assert_ok(ic_dataset_create(context, NULL, &data));
    for (int32_t i = 0; i < count; i++) {
        ic_image *image = filled(context, sizes[i][0], sizes[i][1], r + i, g + i, b + i);
        assert_ok(ic_dataset_add_image(data, image, i % 3 ? "often" : "rarely"));
        ic_image_free(image);
    }
    assert_ok(ic_recipe_look(context, data, &facts));
    ic_dataset_free(data);
    ic_context_free(context);
    return facts;
}

static void looks_at_sizes_and_colours(void **state)
{
    static const int32_t mixed[][2] = {{40, 30}, {60, 50}, {50, 70}, {20, 90}, {55, 60}, {70, 40}};
    static const int32_t same[][2] = {{31, 17}, {31, 17}, {31, 17}, {31, 17}};
    ic_data_facts facts = look_at(6, mixed, 90, 60, 30);
    assert_int_equal(facts.pictures, 6);
    assert_int_equal(facts.median_width, 55);
    assert_int_equal(facts.median_height, 60);
    assert_false(facts.grey || facts.same_size);
    facts = look_at(4, same, 90, 90, 90);
    assert_true(facts.grey && facts.same_size);
    /* What JPEG leaves of colour in a grey picture does not count. */
    facts = look_at(4, same, 90, 93, 88);
    assert_true(facts.grey);
    facts = look_at(4, same, 90, 101, 90);
    assert_false(facts.grey);
}

static void nothing_to_look_at_is_an_error(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *data;
    ic_data_facts facts;
    assert_ok(ic_dataset_create(context, NULL, &data));
    assert_fails(IC_ERROR_DATA, "no readable picture", ic_recipe_look(context, data, &facts));
    ic_dataset_free(data);
    ic_context_free(context);
}

/* ---- Choosing ---- */

static void small_pictures_keep_their_size(void **state)
{
    ic_data_facts digits = facts_of(60000, 28, true, true);
    ic_model_recipe recipe = model_recipe(&digits, NULL);
    assert_string_equal(recipe.network, "airbench94");
    assert_int_equal(recipe.pipeline.width, 28);
    assert_int_equal(recipe.pipeline.canvas_width, 28);
    assert_int_equal(recipe.pipeline.channels, 1);
    assert_true(recipe.pipeline.resize == IC_RESIZE_STRETCH && recipe.measure);

    ic_data_facts few = facts_of(500, 32, false, true);
    recipe = model_recipe(&few, NULL);
    assert_string_equal(recipe.network, "airbench94");
    assert_int_equal(recipe.pipeline.channels, 3);

    static const char *const hurry[] = {"minutes", "1", NULL, NULL};
    static const char *const some_time[] = {"minutes", "4", NULL, NULL};
    assert_string_equal(model_recipe(&digits, hurry).network, "small");
    assert_string_equal(model_recipe(&digits, some_time).network, "plain");

    /* Colour pictures are worth airbench94 from fewer epochs on. */
    static const char *const five[] = {"minutes", "5", NULL, NULL};
    ic_data_facts colour = facts_of(48500, 32, false, true), grey = facts_of(48500, 32, true, true);
    assert_string_equal(model_recipe(&colour, five).network, "airbench94");
    assert_string_equal(model_recipe(&grey, five).network, "plain");
    assert_string_equal(model_recipe(&colour, hurry).network, "small");
}

static void photographs_leave_a_margin_for_crops(void **state)
{
    ic_data_facts photographs = facts_of(1000, 240, false, false);
    ic_model_recipe recipe = model_recipe(&photographs, NULL);
    const ic_pipeline *pipeline = &recipe.pipeline;
    assert_string_equal(recipe.network, "resnet18");
    assert_true(pipeline->width >= 64 && pipeline->width <= 128);
    assert_true(pipeline->canvas_width > pipeline->width);
    assert_int_equal(pipeline->resize, IC_RESIZE_CROP);
}

/* More pictures never give a larger input, and pictures are never enlarged. */
static void input_follows_the_budget(void **state)
{
    int32_t last = 128;
    for (int64_t pictures = 100; pictures < 1000000; pictures *= 3) {
        ic_data_facts facts = facts_of(pictures, 300, false, false);
        int32_t width = model_recipe(&facts, NULL).pipeline.width;
        assert_true(width <= last && width >= 64);
        last = width;
    }
    assert_int_equal(last, 64);
    for (int32_t side = 37; side < 130; side++) {
        ic_data_facts facts = facts_of(500, side, false, true);
        assert_true(model_recipe(&facts, NULL).pipeline.width <= side);
    }
}

static void wishes_win(void **state)
{
    static const char *const pairs[] = {"network",
                                        "mobilenet_v2",
                                        "input_size",
                                        "48",
                                        "channels",
                                        "grey",
                                        "resize",
                                        "stretch",
                                        "filter",
                                        "bicubic",
                                        "denoise",
                                        "median",
                                        "denoise_strength",
                                        "2",
                                        "mean",
                                        "0.25",
                                        "deviation",
                                        "0.5",
                                        "epochs",
                                        "3",
                                        "batch_size",
                                        "7",
                                        "optimizer",
                                        "adamw",
                                        "schedule",
                                        "cosine",
                                        "flip",
                                        "off",
                                        "shift",
                                        "1",
                                        "crop_scale",
                                        "0.8",
                                        "crop_aspect",
                                        "1.5",
                                        "rotation",
                                        "15",
                                        "policy",
                                        "trivial",
                                        "blur",
                                        "0.5",
                                        "noise",
                                        "0.1",
                                        "mixup",
                                        "0.2",
                                        "cutmix",
                                        "1",
                                        "mix_probability",
                                        "0.5",
                                        "sampling",
                                        "balanced",
                                        "patience",
                                        "4",
                                        "class_weights",
                                        "balanced",
                                        "learning_rate",
                                        "0.125",
                                        NULL};
    ic_data_facts facts = facts_of(1000, 240, false, false);
    ic_model_recipe model = model_recipe(&facts, pairs);
    const ic_pipeline *pipeline = &model.pipeline;
    assert_string_equal(model.network, "asked for");
    assert_true(pipeline->width == 48 && pipeline->channels == 1 && !model.measure);
    assert_true(pipeline->mean[0] == 0.25F && pipeline->deviation[0] == 0.5F);
    assert_true(pipeline->filter == IC_FILTER_BICUBIC && pipeline->denoise == IC_DENOISE_MEDIAN);
    assert_true(pipeline->denoise_strength == 2 && pipeline->resize == IC_RESIZE_STRETCH);

    ic_training_recipe recipe = training_recipe(&facts, pairs);
    assert_true(recipe.epochs == 3 && recipe.batch == 7 && recipe.patience == 4);
    assert_true(recipe.optimizer == IC_OPTIMIZER_ADAMW && recipe.schedule == IC_SCHEDULE_COSINE);
    assert_true(recipe.learning_rate == 0.125 && recipe.balanced_weights);
    assert_true(!recipe.augment.flip && recipe.augment.shift == 1);
    assert_true(recipe.augment.crop_aspect == 1.5F);
    assert_true(recipe.augment.crop_scale == 0.8F && recipe.augment.rotation == 15);
    assert_true(recipe.augment.policy == IC_POLICY_TRIVIAL && recipe.augment.brightness == 0);
    assert_true(recipe.augment.blur == 0.5F && recipe.augment.noise == 0.1F);
    assert_true(recipe.mixup == 0.2 && recipe.cutmix == 1 && recipe.mix_probability == 0.5);
    assert_true(recipe.balanced_sampling);
}

/* X-rays by themselves; what has colour, digits, and numbers of one's own by the dataset. */
static void exposure_counts_but_for_grey_photographs(void **state)
{
    static const char *const numbers[] = {"mean", "0.25", "deviation", "0.5", NULL};
    static const char *const large[] = {"input_size", "64", NULL};
    static const char *const small[] = {"input_size", "32", NULL};
    static const char *const by_dataset[] = {"normalise", "dataset", NULL};
    static const char *const by_picture[] = {"normalise", "picture", NULL};
    ic_data_facts rays = facts_of(5000, 224, true, true);
    ic_data_facts colour = facts_of(1000, 240, false, false);
    ic_data_facts digits = facts_of(60000, 28, true, true);
    assert_int_equal(model_recipe(&rays, NULL).pipeline.normalise, IC_NORMALISE_PICTURE);
    assert_int_equal(model_recipe(&rays, numbers).pipeline.normalise, IC_NORMALISE_DATASET);
    assert_int_equal(model_recipe(&rays, by_dataset).pipeline.normalise, IC_NORMALISE_DATASET);
    assert_int_equal(model_recipe(&colour, NULL).pipeline.normalise, IC_NORMALISE_DATASET);
    assert_int_equal(model_recipe(&colour, by_picture).pipeline.normalise, IC_NORMALISE_PICTURE);
    assert_int_equal(model_recipe(&digits, NULL).pipeline.normalise, IC_NORMALISE_DATASET);
    assert_int_equal(model_recipe(&digits, large).pipeline.normalise, IC_NORMALISE_DATASET);
    assert_int_equal(model_recipe(&rays, small).pipeline.normalise, IC_NORMALISE_PICTURE);
    assert_true(training_recipe(&rays, NULL).augment.crop_aspect == 2);
    assert_true(training_recipe(&colour, NULL).augment.crop_aspect == 1.3333F);
}

static void numbers_a_channel_are_checked(void **state)
{
    static const struct {
        const char *mean, *deviation, *words;
    } wrong[] = {
        {"0.5", "auto", "give both mean and deviation"},
        {"auto", "0.5,0.5,0.5", "give both mean and deviation"},
        {"0.5", "0.5", "must be 3 numbers"},
        {"0.5,0.5,0.5,0.5", "0.5,0.5,0.5", "must be 3 numbers"},
        {"0.5,x,0.5", "0.5,0.5,0.5", "\"x\" is not a number"},
        {"0.5,1.5,0.5", "0.5,0.5,0.5", "\"1.5\" is not a number in 0..1"},
        {"0.5,0.5,0.5", "0.5,0,0.5", "\"0\" is not a number in 0.001..1"},
    };
    ic_data_facts facts = facts_of(1000, 240, false, false);
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const pairs[] = {"mean", wrong[i].mean, "deviation", wrong[i].deviation, NULL};
        ic_options *options = options_of(context, pairs);
        ic_model_recipe recipe;
        assert_fails(IC_ERROR_OPTION, wrong[i].words,
                     ic_recipe_model(context, &facts, options, &recipe));
        ic_options_free(options);
    }
    ic_context_free(context);
}

static void only_colour_is_mirrored(void **state)
{
    ic_data_facts colour = facts_of(1000, 240, false, false);
    ic_data_facts rays = facts_of(1000, 240, true, true);
    ic_data_facts digits = facts_of(60000, 28, true, true);
    assert_true(training_recipe(&colour, NULL).augment.flip);
    assert_false(training_recipe(&rays, NULL).augment.flip);
    assert_false(training_recipe(&digits, NULL).augment.flip);
}

/* Small data gets small batches, so that an epoch still has some steps. */
static void batches_suit_the_data(void **state)
{
    ic_data_facts few = facts_of(70, 240, false, false);
    ic_data_facts many = facts_of(60000, 28, true, true);
    assert_int_equal(training_recipe(&few, NULL).batch, 8);
    static const char *const hurry[] = {"minutes", "1", NULL, NULL};
    assert_int_equal(training_recipe(&many, NULL).batch, 1024);
    assert_int_equal(training_recipe(&many, hurry).batch, 128);
}

/* What the caller has chosen stays; what is left open comes from the presets. */
static void presets_fill_what_is_open(void **state)
{
    static const char *const some[] = {"network", "airbench94", "momentum", "0.7",
                                       "flip",    "auto",       NULL,       NULL};
    ic_data_facts facts = facts_of(50000, 32, false, true);
    ic_training_recipe recipe = training_recipe(&facts, some);
    assert_true(recipe.momentum == 0.7 && recipe.label_smoothing == 0.2);
    assert_true(recipe.schedule == IC_SCHEDULE_TRIANGLE && recipe.average == IC_AVERAGE_LOOKAHEAD);
    assert_true(recipe.augment.flip == IC_FLIP_ALTERNATING && recipe.augment.shift == 2);
    assert_non_null(strstr(recipe.rates, "whiten.weight=0"));
    static const char *const none[] = {"network", "airbench94", "rates", "none", NULL, NULL};
    assert_string_equal(training_recipe(&facts, none).rates, "");
}

static void plans_are_read(void **state)
{
    static const char *const good[] = {"replan", "30:450,200:430", NULL, NULL};
    static const char *const bad[] = {"30", "30:450,20:430", "30:20", "30:450,500:600", "x"};
    ic_data_facts facts = facts_of(1000, 240, false, true);
    ic_training_recipe recipe = training_recipe(&facts, good);
    assert_int_equal(recipe.change_count, 2);
    assert_true(recipe.changes[1].at == 200 && recipe.changes[1].steps == 430);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *pairs[] = {"replan", bad[i], NULL, NULL};
        ic_context *context = test_context(1);
        ic_options *options = options_of(context, pairs);
        ic_pipeline pipeline = {.width = 64, .height = 64};
        assert_fails(IC_ERROR_OPTION, "STEP:STEPS",
                     ic_recipe_training(context, &facts, "resnet18", &pipeline, options, &recipe));
        ic_options_free(options);
        ic_context_free(context);
    }
}

static void check_optimiser(ic_data_facts facts, const char *const *pairs, ic_optimizer_kind kind,
                            int32_t batch, double rate, ic_average_kind average)
{
    ic_training_recipe recipe = training_recipe(&facts, pairs);
    assert_int_equal(recipe.optimizer, kind);
    assert_int_equal(recipe.batch, batch);
    assert_true(fabs(recipe.learning_rate - rate) < 1e-6);
    assert_int_equal(recipe.average, average);
}

static void photographs_are_learnt_by_muon(void **state)
{
    static const char *const sgd[] = {"optimizer", "sgd", NULL, NULL};
    static const char *const muon[] = {"optimizer", "muon", "batch_size", "128", NULL, NULL};
    static const char *const other[] = {"network", "mobilenet_v2", NULL, NULL};
    static const char *const full[] = {"resize_from", "1", NULL, NULL};
    static const char *const small[] = {"batch_size", "32", NULL, NULL};
    ic_data_facts photographs = facts_of(1000, 240, false, false), grey = photographs,
                  tuned = photographs, digits = facts_of(60000, 28, true, true);
    grey.grey = tuned.pretrained = true;
    check_optimiser(photographs, NULL, IC_OPTIMIZER_MUON, 64, 0.0282843, IC_AVERAGE_EMA);
    check_optimiser(grey, NULL, IC_OPTIMIZER_SGD, 64, 0.05, IC_AVERAGE_NONE);
    check_optimiser(grey, small, IC_OPTIMIZER_SGD, 32, 0.025, IC_AVERAGE_NONE);
    check_optimiser(photographs, sgd, IC_OPTIMIZER_SGD, 32, 0.05, IC_AVERAGE_NONE);
    check_optimiser(photographs, other, IC_OPTIMIZER_SGD, 32, 0.05, IC_AVERAGE_NONE);
    check_optimiser(tuned, NULL, IC_OPTIMIZER_SGD, 32, 0.01, IC_AVERAGE_NONE);
    check_optimiser(digits, muon, IC_OPTIMIZER_MUON, 128, 0.04, IC_AVERAGE_LOOKAHEAD);
    assert_true(training_recipe(&photographs, NULL).resize_from == 0.5);
    assert_true(training_recipe(&photographs, NULL).resize_to == 0.875);
    assert_true(training_recipe(&photographs, full).resize_to == 1);
    assert_true(training_recipe(&digits, NULL).resize_to == 1);
}

/* What is chosen fits the budget, as long as a few epochs do. */
static void epochs_fit_the_budget(void **state)
{
    for (int64_t pictures = 10; pictures < 10000000; pictures *= 4) {
        for (int32_t side = 28; side < 300; side += 45) {
            ic_data_facts facts = facts_of(pictures, side, side == 28, true);
            ic_model_recipe model = model_recipe(&facts, NULL);
            ic_training_recipe recipe = training_recipe(&facts, NULL);
            double epochs = recipe.epochs, work = recipe.resize_from < 1 ? 0.6 : 1;
            double step = recipe.optimizer == IC_OPTIMIZER_MUON ? 0.25 / 64 : 0;
            double picture =
                ic_recipe_seconds(model.network, model.pipeline.width, model.pipeline.height);
            double seconds = (double)pictures * epochs * (picture * work + step);
            assert_true(epochs >= 4);
            assert_true(epochs == 4 || seconds <= ic_recipe_budget(&facts, NULL));
            assert_true(epochs <= ic_recipe_wanted_epochs(&facts, NULL));
        }
    }
}

/* ---- Saying ---- */

typedef struct spoken {
    int lines;
    char text[2048];
} spoken;

static void listen(int32_t level, const char *message, void *payload)
{
    spoken *heard = payload;
    assert_int_equal(level, IC_LOG_INFO);
    assert_true(strlen(heard->text) + strlen(message) + 2 < sizeof heard->text);
    strcat(strcat(heard->text, message), "\n");
    heard->lines++;
}

static void every_choice_has_its_reason(void **state)
{
    static const char *const topics[] = {"network ",       "input size ",   "channels ",
                                         "resize ",        " epochs: ",     "flip ",
                                         "augmentation: ", "learning rate "};
    ic_context *context = test_context(1);
    ic_data_facts facts = facts_of(1000, 240, false, false);
    ic_model_recipe model;
    ic_training_recipe training;
    spoken heard = {0};
    assert_ok(ic_context_set_log(context, listen, &heard));
    assert_ok(ic_recipe_model(context, &facts, NULL, &model));
    assert_ok(ic_recipe_training(context, &facts, model.network, &model.pipeline, NULL, &training));
    assert_int_equal(heard.lines, sizeof topics / sizeof topics[0]);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        assert_non_null(strstr(heard.text, topics[i]));
    ic_context_free(context);
}

/* Every key is an option, so that the record repeats the training; memory settings leave no trace.
 */
static void json_names_options(void **state)
{
    ic_context *context = test_context(1);
    ic_data_facts facts = facts_of(1000, 240, false, false);
    ic_training_recipe recipe = training_recipe(&facts, NULL);
    json_t *json = NULL;
    const char *key;
    json_t *value;
    assert_ok(ic_training_recipe_to_json(&recipe, &json));
    assert_null(json_object_get(json, "cache_mb"));
    assert_null(json_object_get(json, "memory_limit"));
    ic_options *options = options_of(context, NULL);
    json_object_foreach(json, key, value)
    {
        if (json_is_string(value))
            assert_ok(ic_options_set_text(options, key, json_string_value(value)));
        else if (json_is_integer(value))
            assert_ok(ic_options_set_int(options, key, json_integer_value(value)));
        else
            assert_ok(ic_options_set_float(options, key, json_real_value(value)));
    }
    ic_training_recipe again;
    ic_pipeline pipeline = {.width = 100, .height = 100};
    assert_ok(ic_recipe_training(context, &facts, "lenet5", &pipeline, options, &again));
    json_t *repeated = NULL;
    assert_ok(ic_training_recipe_to_json(&again, &repeated));
    assert_true(json_equal(json, repeated));
    json_decref(repeated);
    json_decref(json);
    ic_options_free(options);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_sizes_and_colours),
        cmocka_unit_test(nothing_to_look_at_is_an_error),
        cmocka_unit_test(small_pictures_keep_their_size),
        cmocka_unit_test(photographs_leave_a_margin_for_crops),
        cmocka_unit_test(input_follows_the_budget),
        cmocka_unit_test(wishes_win),
        cmocka_unit_test(exposure_counts_but_for_grey_photographs),
        cmocka_unit_test(numbers_a_channel_are_checked),
        cmocka_unit_test(only_colour_is_mirrored),
        cmocka_unit_test(batches_suit_the_data),
        cmocka_unit_test(presets_fill_what_is_open),
        cmocka_unit_test(plans_are_read),
        cmocka_unit_test(photographs_are_learnt_by_muon),
        cmocka_unit_test(epochs_fit_the_budget),
        cmocka_unit_test(every_choice_has_its_reason),
        cmocka_unit_test(json_names_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
