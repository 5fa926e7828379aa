/* model/test_tune.c: models that begin with what an earlier one has learnt.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "model/model.h"

#include <stdio.h>
#include <string.h>

/* Two pictures of each class. */
static ic_dataset *pictures(ic_context *context, const char *const *classes)
{
    ic_dataset *data;
    assert_ok(ic_dataset_create(context, NULL, &data));
    for (int32_t i = 0; classes[i / 2]; i++) {
        unsigned char grey[16 * 16];
        ic_image *image;
        memset(grey, 30 + 20 * i, sizeof grey);
        assert_ok(ic_image_from_pixels(context, grey, 16, 16, 0, IC_PIXELS_GREY8, &image));
        assert_ok(ic_dataset_add_image(data, image, classes[i / 2]));
        ic_image_free(image);
    }
    return data;
}

static ic_options *seeded(ic_context *context, int64_t seed)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "seed", seed));
    return options;
}

static ic_model *earlier_model(ic_context *context)
{
    static const char *const classes[] = {"apple", "pear", "plum", NULL};
    ic_options *options = seeded(context, 3);
    ic_dataset *data = pictures(context, classes);
    ic_model *model;
    assert_ok(ic_options_set_text(options, "network", "plain"));
    assert_ok(ic_model_create(context, data, options, &model));
    ic_dataset_free(data);
    ic_options_free(options);
    return model;
}

static const float *values(const ic_model *model, const char *name, int64_t *count)
{
    ic_weights *weights = ic_model_weights(model);
    const float *all = ic_weights_parameters(weights);
    ic_weights_free(weights); /* the model keeps them */
    for (int32_t i = 0; i < ic_graph_parameter_count(model->graph); i++) {
        const ic_parameter *p = ic_graph_parameter(model->graph, i);
        *count = p->count;
        if (strcmp(p->name, name) == 0)
            return all + p->offset;
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

static bool same_rows(const ic_model *a, int32_t row_a, const ic_model *b, int32_t row_b)
{
    char name[64];
    int64_t count_a, count_b;
    snprintf(name, sizeof name, "%s.weight", ic_graph_classifier(a->graph));
    const float *of_a = values(a, name, &count_a), *of_b = values(b, name, &count_b);
    int64_t width = count_a / a->class_count;
    return memcmp(of_a + row_a * width, of_b + row_b * width, (size_t)width * sizeof(float)) == 0;
}

static void keeps_what_both_have(void **state)
{
    static const char *const classes[] = {"cherry", "plum", "apple", "fig", NULL};
    ic_context *context = test_context(1);
    ic_model *earlier = earlier_model(context), *made, *again;
    ic_dataset *data = pictures(context, classes);
    ic_options *options = seeded(context, 8);
    assert_ok(ic_model_create_from(earlier, data, options, &made));
    assert_ok(ic_model_create_from(earlier, data, options, &again));
    assert_int_equal(ic_model_class_count(made), 4);
    int32_t plum = ic_model_find_class(made, "plum"), apple = ic_model_find_class(made, "apple");
    int32_t fig = ic_model_find_class(made, "fig");
    assert_true(same_rows(earlier, ic_model_find_class(earlier, "plum"), made, plum));
    assert_true(same_rows(earlier, ic_model_find_class(earlier, "apple"), made, apple));
    assert_true(same_rows(made, fig, again, fig)); /* fresh, but by the seed */
    for (int32_t i = 0; i < 3; i++)
        assert_false(same_rows(earlier, i, made, fig));

    for (int32_t i = 0; i < ic_graph_parameter_count(made->graph); i++) {
        const ic_parameter *p = ic_graph_parameter(made->graph, i);
        int64_t count;
        if (strncmp(p->name, "fc.", 3) != 0)
            assert_memory_equal(values(made, p->name, &count), values(earlier, p->name, &count),
                                (size_t)p->count * sizeof(float));
    }
    ic_options_free(options);
    ic_dataset_free(data);
    ic_model_free(again);
    ic_model_free(made);
    ic_model_free(earlier);
    ic_context_free(context);
}

/* One set of options serves a whole program: what asks for the same is no wish for another. */
static void takes_options_that_ask_for_the_same(void **state)
{
    static const char *const classes[] = {"apple", "pear", NULL};
    static const char *const same[][2] = {
        {"network", "auto"}, {"channels", "auto"},  {"denoise", "none"}, {"filter", "bilinear"},
        {"mean", "auto"},    {"deviation", "auto"}, {"input_size", "0"}, {"normalise", "dataset"}};
    ic_context *context = test_context(1);
    ic_model *earlier = earlier_model(context), *made;
    ic_dataset *data = pictures(context, classes);
    ic_options *options = seeded(context, 8);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_ok(ic_options_set_text(options, same[i][0], same[i][1]));
    assert_ok(ic_options_set_text(options, "network", earlier->network));
    assert_ok(ic_model_create_from(earlier, data, options, &made));
    ic_model_free(made);
    assert_ok(ic_options_set_text(options, "denoise", "median"));
    assert_fails(IC_ERROR_OPTION, "\"denoise\"",
                 ic_model_create_from(earlier, data, options, &made));
    ic_options_free(options);
    ic_dataset_free(data);
    ic_model_free(earlier);
    ic_context_free(context);
}

static void refuses_what_comes_with_the_earlier_model(void **state)
{
    static const char *const classes[] = {"apple", "pear", NULL}, *const one[] = {"apple", NULL};
    ic_context *context = test_context(1);
    ic_model *earlier = earlier_model(context), *made = NULL;
    ic_dataset *data = pictures(context, classes), *single = pictures(context, one);
    ic_options *options = seeded(context, 8);
    assert_fails(IC_ERROR_DATA, "at least two classes",
                 ic_model_create_from(earlier, single, options, &made));
    assert_ok(ic_options_set_int(options, "input_size", 64));
    assert_fails(IC_ERROR_OPTION, "\"input_size\" cannot be chosen anew",
                 ic_model_create_from(earlier, data, options, &made));
    assert_ok(ic_options_set_int(options, "input_size", 0));
    assert_ok(ic_options_set_text(options, "normalise", "picture"));
    assert_fails(IC_ERROR_OPTION, "\"normalise\" cannot be chosen anew",
                 ic_model_create_from(earlier, data, options, &made));
    assert_fails(IC_ERROR_ARGUMENT, "earlier is NULL",
                 ic_model_create_from(NULL, data, options, &made));
    assert_null(made);
    ic_options_free(options);
    ic_dataset_free(single);
    ic_dataset_free(data);
    ic_model_free(earlier);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_both_have),
        cmocka_unit_test(takes_options_that_ask_for_the_same),
        cmocka_unit_test(refuses_what_comes_with_the_earlier_model),
    };
    return cmocka_run_group_tests_name("model/tune", tests, NULL, NULL);
}
