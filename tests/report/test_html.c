/* report/test_html.c: the report as a page. SPDX-License-Identifier: MIT */
#include "../train/shapes.h"
#include "model/fixture.h"

#include "base/status.h"
#include "evaluate/evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder;

static const char *const strange[] = {"<b>&\"'", "Größe", "\xD8\xB5\xD9\x88\xD8\xB1"};

/* ---- Pages ---- */

static char *page_of(const ic_report *report, size_t *size)
{
    const char *path = test_path(folder, "page.html");
    assert_ok(ic_report_save_html(report, NULL, path));
    return test_read_file(path, size);
}

static int32_t count_words(const char *text, const char *words)
{
    int32_t count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

/* Every element is closed by its own end, in order; attributes hold no bare < or >. */
static void assert_balanced(const char *text)
{
    static const char *const empty[] = {"meta", "img", "br"};
    char open[64][16];
    int depth = 0;
    for (const char *at = text; (at = strchr(at, '<')) != NULL;) {
        const char *end = strchr(at, '>');
        char name[16] = "";
        assert_non_null(end);
        assert_null(memchr(at + 1, '<', (size_t)(end - at - 1)));
        assert_int_equal(sscanf(at[1] == '/' ? at + 2 : at + 1, "%15[a-zA-Z0-9!]", name), 1);
        bool closed = end[-1] == '/' || *name == '!';
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
            closed |= strcmp(name, empty[i]) == 0;
        if (at[1] == '/') {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (!closed) {
            assert_true(depth < 64);
            memcpy(open[depth++], name, sizeof name);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

/* Every link leads to an element of the page, and no two elements have one name. */
static void assert_linked(const char *text)
{
    char mark[128], name[64];
    for (const char *at = text; (at = strstr(at, "href=\"#")) != NULL; at++) {
        assert_int_equal(sscanf(at + 7, "%63[^\"]", name), 1);
        snprintf(mark, sizeof mark, " id=\"%s\"", name);
        assert_int_equal(count_words(text, mark), 1);
    }
    for (const char *at = text; (at = strstr(at, " id=\"")) != NULL; at++) {
        assert_int_equal(sscanf(at + 5, "%63[^\"]", name), 1);
        snprintf(mark, sizeof mark, " id=\"%s\"", name);
        assert_int_equal(count_words(text, mark), 1);
    }
}

static void assert_sound(const char *text)
{
    assert_balanced(text);
    assert_linked(text);
    assert_int_equal(count_words(text, "<h1>"), 1);
    assert_int_equal(count_words(text, "<script"), 0);
    assert_int_equal(count_words(text, "http:") + count_words(text, "https:"), 0);
    assert_int_equal(count_words(text, "src=\""),
                     count_words(text, "src=\"data:image/jpeg;base64,"));
    assert_int_equal(count_words(text, "<img"), count_words(text, " alt=\""));
    assert_int_equal(
        count_words(text, ">nan") + count_words(text, " nan") + count_words(text, "\"Mnan"), 0);
}

/* ---- Data ---- */

/* Noise pictures, picture i of class i % classes; with names NULL "class 0" and so on. */
static ic_dataset *make_data(ic_context *context, const char *const *names, int32_t classes,
                             int32_t count, int32_t side)
{
    ic_dataset *dataset;
    char name[32];
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int32_t i = 0; i < count; i++) {
        ic_image *image = fixture_image(context, side + i % 3, side, (uint64_t)i);
        snprintf(name, sizeof name, "class %d", (int)(i % classes));
        assert_ok(ic_dataset_add_image(dataset, image, names ? names[i % classes] : name));
        ic_image_free(image);
    }
    return dataset;
}

static ic_report *measure(const ic_model *model, const ic_dataset *dataset)
{
    ic_report *report;
    static const char *const pairs[] = {"resamples", "20", "command", "imgcls 'a & b'", NULL, NULL};
    ic_options *options = shapes_options(model->context, pairs);
    assert_ok(ic_evaluate(model, dataset, options, &report));
    ic_options_free(options);
    return report;
}

static int64_t mistakes_of(const ic_report *report)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < report->scores.count; i++)
        wrong += ic_scores_predicted(&report->scores, i) != report->scores.labels[i];
    return wrong;
}

/* A pair of classes that are mistaken: how many there are. */
static int32_t pairs_of(const ic_report *report)
{
    const ic_metrics *m = &report->metrics;
    int32_t pairs = 0;
    for (int32_t i = 0; i < m->classes * m->classes; i++)
        pairs += i / m->classes != i % m->classes && m->confusion[i] > 0;
    return pairs;
}

/* ---- What is on it ---- */

static ic_model *strange_model(const ic_dataset *dataset)
{
    static const char *const pairs[] = {"network", "lenet5", "input_size", "28", NULL, NULL};
    ic_options *options = shapes_options(ic_dataset_context(dataset), pairs);
    ic_model *model;
    assert_ok(ic_model_create(ic_dataset_context(dataset), dataset, options, &model));
    ic_options_free(options);
    return model;
}

/* Names are escaped; pictures of files that are gone leave a gap; all mistakes are shown. */
static void names_are_escaped_and_gaps_shown(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, strange, 3, 24, 30);
    char path[512];
    (void)state;
    for (int32_t i = 0; i < 9; i++) {
        ic_image *image = fixture_image(context, 40, 30, (uint64_t)(100 + i));
        snprintf(path, sizeof path, "%s/<i>&\xFF%d.png", folder, (int)i);
        assert_ok(ic_image_save_png(image, path));
        assert_ok(ic_dataset_add_file(dataset, path, strange[i % 3]));
        ic_image_free(image);
    }
    assert_ok(ic_dataset_add_file(dataset, test_path(folder, "gone<1>.png"), strange[0]));
    ic_model *model = strange_model(dataset);
    ic_report *report = measure(model, dataset);
    for (int32_t i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "%s/<i>&\xFF%d.png", folder, (int)i);
        assert_int_equal(remove(path), 0);
    }
    size_t size;
    char *text = page_of(report, &size);
    assert_int_equal(count_words(text, "<section id=\"decisions\">"), 0);
    free(text);
    assert_ok(ic_model_set_threshold(model, 0, 0.25));
    assert_ok(ic_report_decide(report));
    text = page_of(report, &size);
    assert_int_equal(count_words(text, "<section id=\"decisions\">"), 1);
    assert_sound(text);
    assert_int_equal(count_words(text, "<b>&"), 0);
    assert_true(count_words(text, "<bdi>&lt;b&gt;&amp;&quot;'</bdi>") > 4);
    assert_true(count_words(text, "<bdi>Größe</bdi>") > 4);
    assert_true(count_words(text, "gone&lt;1&gt;.png") >= 1);
    assert_true(count_words(text, "/&lt;i&gt;&amp;\xEF\xBF\xBD") > 0);
    assert_true(count_words(text, "cannot be read any more") > 0);
    assert_int_equal(count_words(text, "imgcls 'a &amp; b'"), 1);
    assert_int_equal(count_words(text, "<td class=\"x\""), pairs_of(report));
    assert_int_equal(count_words(text, "taken for <bdi>"), pairs_of(report));
    /* In the list of all, and the dozen worst; a lost one of these has no heat map either. */
    const int64_t wrong = mistakes_of(report), worst = wrong < 12 ? wrong : 12;
    const int32_t lost = count_words(text, "cannot be read any more");
    const int32_t images = count_words(text, "<img");
    assert_true(wrong > 12);
    assert_true(images + lost <= wrong + 2 * worst && images + lost >= wrong + worst);
    free(text);
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Hundreds of classes: no matrix, and a page of bounded size. */
static void many_classes_stay_readable(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, NULL, 200, 900, 28);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, 200, 5);
    ic_report *report = measure(model, dataset);
    size_t size;
    (void)state;
    char *text = page_of(report, &size);
    assert_sound(text);
    assert_int_equal(count_words(text, "<table class=\"m\">"), 0);
    assert_true(pairs_of(report) > 40);
    assert_int_equal(count_words(text, "<div id=\"c"), 40);
    assert_int_equal(count_words(text, "<a href=\"#c"), 40 + 3 + 40); /* contents, links back */
    assert_true(size < 1000000);
    free(text);
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* The worst case for the size: noise, nearly all of it wrong. What is not shown is named. */
static void pages_stay_small(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, NULL, 10, 1500, 150);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, 10, 7);
    ic_report *report = measure(model, dataset);
    size_t size;
    (void)state;
    char *text = page_of(report, &size);
    assert_sound(text);
    assert_true(mistakes_of(report) > 1000);
    assert_true(size > 1000000 && size < 3000000);
    assert_true(count_words(text, " more</summary>") >= 9);
    free(text);
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void figures_are_those_of_the_report(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, NULL, 2, 41, 30);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, 2, 5);
    (void)state;
    /* A record as only another program writes it: curves of nothing. */
    ic_model_publish(model, ic_model_weights(model),
                     json_pack("{s:{s:f}, s:[{s:n},{s:f}], s:i}", "options", "rate", 0.05, "epochs",
                               "train_loss", "train_loss", 1e300, "best_epoch", 9));
    fixture_trust(model, 8);
    ic_report *report = measure(model, dataset);
    char *text = page_of(report, &(size_t){0}), wanted[64];
    double accuracy, auc, low, high;
    assert_sound(text);
    assert_ok(ic_report_value(report, "accuracy", &accuracy));
    assert_ok(ic_report_value(report, "auc", &auc));
    assert_ok(ic_report_interval(report, "auc", &low, &high));
    snprintf(wanted, sizeof wanted, "<strong>%.1f&nbsp;%%</strong> of 41 pictures", 100 * accuracy);
    assert_int_equal(count_words(text, wanted), 1);
    snprintf(wanted, sizeof wanted, "<b>%.3f</b><small>%.3f to %.3f</small>", auc, low, high);
    assert_int_equal(count_words(text, wanted), 1);
    assert_int_equal(count_words(text, "<section id=\"unknown\">"), 1);
    snprintf(wanted, sizeof wanted, "it refuses %lld (", (long long)ic_report_refused(report));
    assert_int_equal(count_words(text, wanted), 1);
    assert_int_equal(count_words(text, "<svg"),
                     6); /* of the classes, calibration, scores, history */
    assert_int_equal(count_words(text, "<th scope=\"row\">rate</th><td>0.05</td>"), 1);
    free(text);
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* The scores are the very ones of ic_predict. */
static void unknown_scores_are_those_of_predictions(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, NULL, 3, 19, 33);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, 3, 5);
    ic_prediction *prediction;
    float score, threshold;
    int64_t refused = 0;
    (void)state;
    fixture_trust(model, 8);
    ic_report *report = measure(model, dataset);
    assert_non_null(report->unknown);
    assert_ok(ic_prediction_create(context, &prediction));
    for (int64_t i = 0; i < 19; i++) {
        ic_image *image;
        assert_ok(ic_dataset_image(dataset, i, &image));
        assert_ok(ic_predict(model, image, prediction));
        assert_ok(ic_prediction_unknown(prediction, 0, &score, &threshold));
        assert_true(score == report->unknown[i]);
        refused += score > threshold;
        ic_image_free(image);
    }
    assert_true((float)report->threshold == threshold);
    assert_int_equal(ic_report_refused(report), refused);
    ic_prediction_free(prediction);
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void cross_validations_have_models_and_doubts(void **state)
{
    static const char *const pairs[] = {"network", "plain", "epochs",    "4",  "batch_size", "8",
                                        "folds",   "2",     "resamples", "20", NULL,         NULL};
    static const char *const names[SHAPE_CLASSES] = {"square", "cross", "stripes"};
    ic_context *context = test_context(2);
    ic_options *options = shapes_options(context, pairs);
    ic_dataset *dataset;
    ic_report *report;
    int64_t doubts;
    (void)state;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int32_t i = 0; i < 60; i++) {
        ic_image *image = shape_image(context, i % 3, (uint64_t)(i / 3), SHAPE_SIDE);
        assert_ok(ic_dataset_add_image(dataset, image, names[i < 3 ? 1 : i % 3]));
        ic_image_free(image);
    }
    assert_ok(ic_cross_validate(dataset, options, &report));
    assert_ok(ic_report_label_error_count(report, &doubts));
    char *text = page_of(report, &(size_t){0}), wanted[64];
    assert_sound(text);
    assert_int_equal(count_words(text, "<section id=\"folds\">"), 1);
    snprintf(wanted, sizeof wanted, "<p>%lld labels are in doubt", (long long)doubts);
    assert_int_equal(count_words(text, wanted), 1);
    assert_true(doubts >= 1);
    assert_int_equal(count_words(text, ", looks like "), doubts < 24 ? doubts : 24);
    assert_int_equal(count_words(text, "What speaks for it"), 0); /* the judges are gone */
    assert_int_equal(count_words(text, "--network plain"), 1);
    assert_true(count_words(text, "<svg") >= 5); /* with the learning curves */
    free(text);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_options_free(options);
    ic_context_free(context);
}

/* ---- How it is made ---- */

static void any_number_of_threads_gives_the_same(void **state)
{
    char *texts[2];
    (void)state;
    for (int32_t i = 0; i < 2; i++) {
        ic_context *context = test_context(1 + 2 * i);
        ic_dataset *dataset = make_data(context, NULL, 4, 70, 50);
        ic_model *model = fixture_make(context, "lenet5", 28, 3, 4, 5);
        ic_report *report = measure(model, dataset);
        texts[i] = page_of(report, &(size_t){0});
        ic_report_free(report);
        ic_model_free(model);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static int32_t stop_at_report(const ic_progress *progress, void *payload)
{
    if (strcmp(ic_progress_phase(progress), "report") == 0)
        ++*(int *)payload;
    return *(int *)payload > 0;
}

static void a_cancelled_one_leaves_nothing(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, NULL, 4, 40, 30);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, 4, 5);
    ic_report *report = measure(model, dataset);
    int seen = 0;
    char path[512];
    (void)state;
    strcpy(path, test_path(folder, "cancelled.html"));
    assert_ok(ic_context_set_progress(context, stop_at_report, &seen));
    assert_fails(IC_ERROR_CANCELLED, "", ic_report_save_html(report, NULL, path));
    assert_int_equal(seen, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_ok(ic_context_set_progress(context, NULL, NULL));
    assert_fails(IC_ERROR_NOT_FOUND, "nowhere",
                 ic_report_save_html(report, NULL, test_path(folder, "nowhere/page.html")));
    assert_ok(ic_report_save_html(report, NULL, path));
    ic_report_free(report);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Every so many allocations of a measurement and its page. */
static void no_allocation_is_missed(void **state)
{
    ic_status status = IC_ERROR_MEMORY;
    char path[512];
    (void)state;
    strcpy(path, test_path(folder, "fail.html"));
    for (int64_t fail = 1; status != IC_OK; fail += 1 + fail / 150) {
        test_allocator allocator = {0};
        ic_context *context = test_context_with(&allocator, 1);
        ic_dataset *dataset = make_data(context, NULL, 2, 5, 12);
        ic_model *model = fixture_make(context, "tiny", 5, 1, 2, 5);
        ic_report *report = measure(model, dataset);
        allocator.fail_at = allocator.calls + fail;
        status = ic_report_save_html(report, NULL, path);
        if (status != IC_ERROR_MEMORY)
            assert_ok(status);
        allocator.fail_at = 0;
        assert_int_equal(access(path, F_OK) == 0, status == IC_OK);
        ic_report_free(report);
        ic_model_free(model);
        ic_dataset_free(dataset);
        ic_context_free(context);
        assert_int_equal(allocator.live, 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    folder = test_folder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_escaped_and_gaps_shown),
        cmocka_unit_test(many_classes_stay_readable),
        cmocka_unit_test(pages_stay_small),
        cmocka_unit_test(figures_are_those_of_the_report),
        cmocka_unit_test(unknown_scores_are_those_of_predictions),
        cmocka_unit_test(cross_validations_have_models_and_doubts),
        cmocka_unit_test(any_number_of_threads_gives_the_same),
        cmocka_unit_test(a_cancelled_one_leaves_nothing),
        cmocka_unit_test(no_allocation_is_missed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
