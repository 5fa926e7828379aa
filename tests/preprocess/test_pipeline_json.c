/* preprocess/test_pipeline_json.c: the pipeline in files, and hostile ones.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "preprocess/pipeline.h"

#include <stdio.h>
#include <string.h>

static const char sound[] =
    "{\"decode\":\"full\",\"width\":12,\"height\":9,\"channels\":3,\"canvas_width\":14,\"canvas_"
    "height\":12,"
    "\"resize\":\"crop\",\"filter\":\"bicubic\",\"denoise\":\"median\",\"denoise_strength\":2.0,"
    "\"normalise\":\"picture\",\"mean\":[0.5,0.25,0.125],\"deviation\":[0.25,0.5,1]}";

static ic_status parse(const char *text, ic_pipeline *out)
{
    json_t *json;
    assert_ok(ic_json_parse(text, strlen(text), "a pipeline", &json));
    ic_status status = ic_pipeline_from_json(json, out);
    json_decref(json);
    return status;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 32; i++) {
        ic_pipeline pipeline = {.decode = i % 3 ? IC_DECODE_SHRINK : IC_DECODE_FULL,
                                .width = 1 + i,
                                .height = 2 + i,
                                .channels = i % 2 ? 3 : 1,
                                .canvas_width = 1 + 2 * i,
                                .canvas_height = IC_PIPELINE_SIDE_MAX,
                                .resize = i / 2 % 2 ? IC_RESIZE_CROP : IC_RESIZE_STRETCH,
                                .filter = i / 4 % 2 ? IC_FILTER_BICUBIC : IC_FILTER_BILINEAR,
                                .denoise = (ic_denoise)(i / 8),
                                .denoise_strength = i / 8 ? 0.3f : 1,
                                .normalise = i % 5 ? IC_NORMALISE_PICTURE : IC_NORMALISE_DATASET};
        for (int32_t c = 0; c < pipeline.channels; c++) {
            pipeline.mean[c] = 0.485f / (float)(c + 1);
            pipeline.deviation[c] = 0.229f / (float)(c + 3);
        }
        json_t *json;
        ic_pipeline read;
        ic_buffer text = {.context = context}, again = {.context = context};
        assert_ok(ic_pipeline_to_json(&pipeline, &json));
        assert_ok(ic_json_print(json, &text));
        json_decref(json);
        memset(&read, 0, sizeof read);
        assert_ok(parse((const char *)text.bytes, &read));
        assert_memory_equal(&read, &pipeline, sizeof read);
        assert_ok(ic_pipeline_to_json(&read, &json));
        assert_ok(ic_json_print(json, &again));
        assert_string_equal(text.bytes, again.bytes);
        json_decref(json);
        ic_buffer_free(&text);
        ic_buffer_free(&again);
    }
    ic_context_free(context);
}

static void a_sound_text_is_read(void **state)
{
    (void)state;
    ic_pipeline pipeline;
    assert_ok(parse(sound, &pipeline));
    assert_int_equal(pipeline.canvas_height, 12);
    assert_int_equal(pipeline.denoise, IC_DENOISE_MEDIAN);
    assert_int_equal(pipeline.normalise, IC_NORMALISE_PICTURE);
    assert_true(pipeline.denoise_strength == 2 && pipeline.deviation[2] == 1);
}

static void texts_of_0_1_are_read(void **state)
{
    (void)state;
    ic_pipeline pipeline;
    char text[512];
    static const char since[] = "\"normalise\":\"picture\",";
    const char *at = strstr(sound, since);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s", (int)(at - sound), sound, at + strlen(since));
    assert_ok(parse(text, &pipeline));
    assert_int_equal(pipeline.normalise, IC_NORMALISE_DATASET);
}

/* The sound text with one piece of it replaced. */
static void hostile_values_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
        ic_status status; /* 0: IC_ERROR_FORMAT */
    } cases[] = {
        {"\"full\"", "\"shrunk\"", "decode \"shrunk\" is not known", IC_ERROR_UNSUPPORTED},
        {"\"full\"", "1", "must be a text"},
        {"\"decode\":\"full\",", "", "\"decode\" is missing"},
        {"\"width\":12", "\"width\":0", "\"width\" must be 1..2048"},
        {"\"width\":12", "\"width\":2049", "\"width\" must be 1..2048"},
        {"\"width\":12", "\"width\":-9223372036854775808", "must be"},
        {"\"width\":12", "\"width\":12.0", "whole number"},
        {"\"width\":12,", "", "\"width\" is missing"},
        {"\"height\":9", "\"height\":13", "\"canvas_height\" must be 13..2048"},
        {"\"channels\":3", "\"channels\":2", "1 or 3"},
        {"\"channels\":3", "\"channels\":4", "must be 1..3"},
        {"\"channels\":3", "\"channels\":1", "mean has 3 numbers, but there are 1"},
        {"\"canvas_width\":14", "\"canvas_width\":11", "must be 12..2048"},
        {"\"crop\"", "\"cut\"", "resize \"cut\" is not known", IC_ERROR_UNSUPPORTED},
        {"\"crop\"", "7", "must be a text"},
        {"\"bicubic\"", "\"\"", "filter", IC_ERROR_UNSUPPORTED},
        {"\"median\"", "\"mediane\"", "denoise \"mediane\"", IC_ERROR_UNSUPPORTED},
        {"\"picture\"", "\"pictures\"", "normalise \"pictures\"", IC_ERROR_UNSUPPORTED},
        {"\"picture\"", "null", "must be a text"},
        {":2.0", ":0", "denoise_strength is not in"},
        {":2.0", ":1e300", "denoise_strength is not in"},
        {":2.0", ":\"2\"", "must be a number"},
        {"[0.5,0.25,0.125]", "[0.5,0.25]", "mean has 2 numbers"},
        {"[0.5,0.25,0.125]", "[0.5,0.25,null]", "number 3 of mean"},
        {"[0.5,0.25,0.125]", "[0.5,1e9,0]", "number 2 of mean"},
        {"[0.5,0.25,0.125]", "{}", "must be an array"},
        {"[0.25,0.5,1]", "[0.25,0,1]", "number 2 of deviation"},
        {"[0.25,0.5,1]", "[-0.25,1,1]", "number 1 of deviation"},
        {"[0.25,0.5,1]", "[1e-320,1,1]", "number 1 of deviation"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        const char *at = strstr(sound, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - sound), sound, cases[i].to,
                 at + strlen(cases[i].from));
        ic_pipeline pipeline = {.width = 77};
        assert_fails(cases[i].status < 0 ? cases[i].status : IC_ERROR_FORMAT, cases[i].words,
                     parse(text, &pipeline));
        assert_int_equal(pipeline.width, 77); /* untouched */
    }
    ic_pipeline pipeline;
    assert_fails(IC_ERROR_FORMAT, "not an object", parse("[]", &pipeline));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_sound_text_is_read),
        cmocka_unit_test(texts_of_0_1_are_read),
        cmocka_unit_test(hostile_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
