/*
 * fuzz/fuzz_model.c: any bytes as a model file, used when they load. Built with -fsanitize=fuzzer
 * -DIC_LIBFUZZER it is a libFuzzer target; otherwise it replays the files named on the command line
 * or, without any, thousands of damaged copies of a small model. SPDX-License-Identifier: MIT
 */
#include "model/file.h"
#include "model/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_model: %s (last error: %s)\n", what, ic_last_error());
        abort();
    }
}

/* A sound file may ask for more memory than this machine should give: large blocks are refused. */
static void *allocate_little(void *block, size_t size, void *payload)
{
    enum { MOST = 64 << 20 };
    if (size == 0) {
        free(block);
        return NULL;
    }
    return size <= MOST ? realloc(block, size) : NULL;
}

/* What was loaded must predict probabilities or say why not, and save what loads again. */
static void use(ic_context *context, const ic_model *model)
{
    static const unsigned char pixels[3 * 5 * 3] = {1, 200, 30, 4, 99};
    ic_image *image;
    ic_prediction *prediction;
    ic_buffer bytes = {.context = context};
    ic_model *again = NULL;
    demand(ic_image_from_pixels(context, pixels, 3, 5, 0, IC_PIXELS_RGB8, &image) == IC_OK,
           "image");
    demand(ic_prediction_create(context, &prediction) == IC_OK, "prediction");
    ic_status status = ic_predict(model, image, prediction);
    demand(status == IC_OK || status == IC_ERROR_DIVERGED || status == IC_ERROR_MEMORY, "predicts");
    if (status == IC_OK) {
        float probability = -1;
        demand(ic_prediction_class(prediction, 0, NULL, &probability) == IC_OK, "has a class");
        demand(probability > 0 && probability <= 1.0001f, "gives a probability");
        float score = 0, threshold = 0;
        status = ic_prediction_unknown(prediction, 0, &score, &threshold);
        demand(status == IC_OK || status == IC_ERROR_STATE, "has a score or none");
        demand(score == score && threshold == threshold, "gives numbers");
    }
    if (ic_model_write(model, NULL, &bytes) == IC_OK)
        demand(ic_model_load_memory(context, bytes.bytes, bytes.size, &again) == IC_OK,
               "loads what it saved");
    ic_model_free(again);
    ic_buffer_free(&bytes);
    ic_prediction_free(prediction);
    ic_image_free(image);
}

static ic_context *make_context(void)
{
    ic_context *context;
    ic_options *options;
    demand(ic_context_create_with_allocator(allocate_little, NULL, &context) == IC_OK, "context");
    demand(ic_options_create(context, &options) == IC_OK, "options");
    demand(ic_options_set_int(options, "threads", 1) == IC_OK, "threads");
    demand(ic_context_configure(context, options) == IC_OK, "configures");
    ic_options_free(options);
    return context;
}

static void load_and_use(ic_context *context, const void *bytes, size_t size)
{
    ic_model *model = NULL;
    ic_status status = ic_model_load_memory(context, bytes, size, &model);
    demand((status == IC_OK) == (model != NULL), "a model or an error");
    if (status == IC_OK)
        use(context, model);
    ic_model_free(model);
}

/* A sound file but for one text of its metadata: lets a fuzzer reach the graph's own reader. */
static void load_with_text(ic_context *context, const char *key, const void *text, size_t size)
{
    static const char *const keys[] = {"format",        IC_KEY_VERSION,  IC_KEY_REQUIRES,
                                       IC_KEY_NETWORK,  IC_KEY_GRAPH,    IC_KEY_CLASSES,
                                       IC_KEY_PIPELINE, IC_KEY_TRAINING, IC_KEY_CONFIDENCE};
    ic_buffer sound = {.context = context}, altered = {.context = context};
    ic_safetensors *file = NULL;
    ic_model *model;
    json_t *metadata = json_object();
    demand(fixture_model(context, "tiny", 0, 0, 0, 1, &model) == IC_OK, "builds");
    demand(ic_model_write(model, NULL, &sound) == IC_OK, "writes");
    demand(ic_safetensors_open(context, sound.bytes, sound.size, &file) == IC_OK, "opens");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set_new(metadata, keys[i], json_string(ic_safetensors_metadata(file, keys[i])));
    if (json_object_set_new(metadata, key, json_stringn(text, size)) == 0 && /* valid UTF-8 */
        ic_safetensors_write(context, metadata, ic_safetensors_at(file, 0),
                             ic_safetensors_count(file), &altered) == IC_OK)
        load_and_use(context, altered.bytes, altered.size);
    json_decref(metadata);
    ic_safetensors_free(file);
    ic_buffer_free(&altered);
    ic_buffer_free(&sound);
    ic_model_free(model);
}

/* The whole file or, behind one of the letters G, P, C, T and U, one text of its metadata. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char letters[] = "GPCTU";
    static const char *const keys[] = {IC_KEY_GRAPH, IC_KEY_PIPELINE, IC_KEY_CLASSES,
                                       IC_KEY_TRAINING, IC_KEY_CONFIDENCE};
    ic_context *context = make_context();
    const char *letter = size > 0 ? memchr(letters, bytes[0], sizeof letters - 1) : NULL;
    if (letter != NULL)
        load_with_text(context, keys[letter - letters], bytes + 1, size - 1);
    else
        load_and_use(context, bytes, size);
    ic_context_free(context);
    return 0;
}

#ifndef IC_LIBFUZZER

static void replay(const char *path)
{
    size_t size;
    void *bytes = test_read_file(path, &size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Puts the right hash in, so that what lies behind its check is reached. */
static void seal(unsigned char *bytes, size_t size)
{
    char hash[IC_SHA256_TEXT];
    size_t header = bytes[0] | (size_t)bytes[1] << 8, digits;
    if (header > size - IC_TENSOR_LENGTH_BYTES ||
        !ic_safetensors_find_digits((char *)bytes + IC_TENSOR_LENGTH_BYTES, header, &digits))
        return;
    ic_safetensors_hash(bytes, size, IC_TENSOR_LENGTH_BYTES + digits, hash);
    memcpy(bytes + IC_TENSOR_LENGTH_BYTES + digits, hash, IC_SHA256_TEXT - 1);
}

/* Other digits where digits stand, other signs elsewhere: damage that JSON often survives. */
static void damage_once(unsigned char *bytes, size_t size, uint32_t *state)
{
    static const char signs[] = "{}[],:\"-0e";
    size_t at = IC_TENSOR_LENGTH_BYTES + draw(state) % (size - IC_TENSOR_LENGTH_BYTES);
    switch (draw(state) % 8) {
    case 0:
        bytes[at] = (unsigned char)draw(state);
        break;
    case 1:
        bytes[at] = (unsigned char)signs[draw(state) % (sizeof signs - 1)];
        break;
    default:
        while (at < size - 1 && (bytes[at] < '0' || bytes[at] > '9'))
            at++;
        bytes[at] = (unsigned char)('0' + draw(state) % 10);
    }
}

/* Damaged copies of a small model; `trusted`: one with a confidence. */
static void make_up(int times, bool trusted)
{
    ic_context *context = make_context();
    ic_model *model;
    ic_buffer bytes = {.context = context};
    uint32_t state = 2463534242u;
    demand(fixture_model(context, "tiny", 0, 0, 0, 1, &model) == IC_OK, "builds");
    if (trusted)
        fixture_trust(model, 20);
    demand(ic_model_write(model, NULL, &bytes) == IC_OK, "writes");
    unsigned char *copy = malloc(bytes.size);
    for (int i = 0; i < times; i++) {
        memcpy(copy, bytes.bytes, bytes.size);
        for (uint32_t places = draw(&state) % 4; places > 0; places--)
            damage_once(copy, bytes.size, &state);
        seal(copy, bytes.size);
        LLVMFuzzerTestOneInput(copy, bytes.size);
    }
    free(copy);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        replay(paths[i]);
    if (count == 1) {
        make_up(15000, false);
        make_up(5000, true);
    }
    return 0;
}

#endif
