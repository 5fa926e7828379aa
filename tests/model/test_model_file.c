/* model/test_model_file.c: models saved, loaded, and refused. SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "model/fixture.h"

#include "base/status.h"
#include "model/file.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- Files altered on purpose, with the right hash ---- */

/*
 * Writes the file anew with `key` of the metadata set to `text` (NULL: taken away) and, where
 * `tensor` is given, the tensor of its name replaced or added (its data NULL: taken away).
 */
static ic_buffer altered(const ic_buffer *from, const char *key, const char *text,
                         const ic_tensor_entry *tensor)
{
    static const char *const keys[] = {"format",        IC_KEY_VERSION, IC_KEY_REQUIRES,
                                       IC_KEY_NETWORK,  IC_KEY_GRAPH,   IC_KEY_CLASSES,
                                       IC_KEY_PIPELINE, IC_KEY_TRAINING};
    ic_buffer out = {.context = from->context};
    ic_safetensors *file;
    ic_tensor_entry tensors[64];
    int32_t count = 0;
    json_t *metadata = json_object();
    assert_ok(ic_safetensors_open(from->context, from->bytes, from->size, &file));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set_new(metadata, keys[i], json_string(ic_safetensors_metadata(file, keys[i])));
    if (key != NULL && text != NULL)
        json_object_set_new(metadata, key, json_string(text));
    else if (key != NULL)
        json_object_del(metadata, key);
    for (int32_t i = 0; i < ic_safetensors_count(file); i++) {
        const ic_tensor_entry *old = ic_safetensors_at(file, i);
        if (tensor == NULL || strcmp(old->name, tensor->name) != 0)
            tensors[count++] = *old;
    }
    if (tensor != NULL && tensor->data != NULL)
        tensors[count++] = *tensor;
    assert_ok(ic_safetensors_write(from->context, metadata, tensors, count, &out));
    json_decref(metadata);
    ic_safetensors_free(file);
    return out;
}

static void load_fails(ic_status code, const char *words, const ic_buffer *bytes)
{
    ic_model *model = (ic_model *)&code; /* anything but NULL: it must stay */
    assert_fails(code, words,
                 ic_model_load_memory(bytes->context, bytes->bytes, bytes->size, &model));
    assert_ptr_equal(model, &code);
}

/* ---- Round trips ---- */

static void predict(const ic_model *model, float *out, int32_t count)
{
    ic_prediction *prediction;
    ic_image *image = fixture_image(model->context, 23, 31, 3);
    const float *probabilities;
    assert_ok(ic_prediction_create(model->context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    assert_ok(ic_prediction_probabilities(prediction, 0, &probabilities, NULL));
    memcpy(out, probabilities, (size_t)count * sizeof *out);
    ic_image_free(image);
    ic_prediction_free(prediction);
}

static void test_loaded_predicts_the_same_bits(void **state)
{
    static const char *const networks[] = {"lenet5", "resnet9", "mobilenet_v2",
                                           "mobilenet_v3_large"};
    for (int n = 0; n < 4; n++) {
        ic_context *context = test_context(1);
        ic_model *model = fixture_make(context, networks[n], 32, 3, 7, 11), *loaded;
        model->pipeline.normalise = n % 2 ? IC_NORMALISE_PICTURE : IC_NORMALISE_DATASET;
        ic_buffer bytes = fixture_bytes(model);
        float before[7], after[7];
        predict(model, before, 7);
        assert_ok(ic_model_load_memory(context, bytes.bytes, bytes.size, &loaded));
        ic_model_free(model);
        predict(loaded, after, 7);
        assert_memory_equal(before, after, sizeof before);
        ic_buffer again = fixture_bytes(loaded);
        assert_int_equal(again.size, bytes.size);
        assert_memory_equal(again.bytes, bytes.bytes, bytes.size);
        assert_int_equal(ic_model_class_count(loaded), 7);
        assert_string_equal(ic_model_class_name(loaded, 6), "class 6");
        assert_null(ic_model_class_name(loaded, 7));
        assert_null(ic_model_class_name(loaded, -1));
        assert_string_equal(loaded->network, networks[n]);
        int32_t width, height, channels;
        assert_ok(ic_model_input(loaded, &width, &height, &channels));
        assert_true(width == 32 && height == 32 && channels == 3);
        ic_buffer_free(&bytes);
        ic_buffer_free(&again);
        ic_model_free(loaded);
        ic_context_free(context);
    }
}

static void test_the_record_comes_back(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1), *loaded;
    json_t *record = json_pack("{s:i, s:[{s:f}], s:s}", "steps", 1234, "epochs", "train_loss",
                               0.1 + 0.2, "note", "caf\xc3\xa9");
    ic_model_publish(model, ic_model_weights(model), json_incref(record));
    ic_buffer bytes = fixture_bytes(model);
    assert_ok(ic_model_load_memory(context, bytes.bytes, bytes.size, &loaded));
    json_t *copy;
    assert_ok(ic_model_record(loaded, &copy));
    assert_true(json_equal(record, copy));
    json_decref(copy);
    /* torch's count of batches is the number of steps */
    ic_safetensors *file;
    int64_t batches;
    assert_ok(ic_safetensors_open(context, bytes.bytes, bytes.size, &file));
    const ic_tensor_entry *tensor = ic_safetensors_find(file, "bn1.num_batches_tracked");
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, IC_I64);
    assert_int_equal(tensor->rank, 0);
    memcpy(&batches, tensor->data, sizeof batches);
    assert_int_equal(batches, 1234);
    ic_safetensors_free(file);
    json_decref(record);
    ic_buffer_free(&bytes);
    ic_model_free(loaded);
    ic_model_free(model);
    ic_context_free(context);
}

/* 0.1 would load it, and predict something else. */
static void test_what_older_readers_cannot_do_is_required(void **state)
{
    static const char *const needs[] = {"[]", "[\"normalise\"]"};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    for (int32_t i = 0; i < 2; i++) {
        ic_safetensors *file;
        model->pipeline.normalise = i == 0 ? IC_NORMALISE_DATASET : IC_NORMALISE_PICTURE;
        ic_buffer bytes = fixture_bytes(model);
        assert_ok(ic_safetensors_open(context, bytes.bytes, bytes.size, &file));
        assert_string_equal(ic_safetensors_metadata(file, IC_KEY_REQUIRES), needs[i]);
        ic_safetensors_free(file);
        ic_buffer_free(&bytes);
    }
    ic_model_free(model);
    ic_context_free(context);
}

/* The names and shapes that torch's modules of this structure have. */
static void test_tensors_are_torchs(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    ic_safetensors *file;
    static const char *const names[] = {"bn1.bias",         "bn1.num_batches_tracked",
                                        "bn1.running_mean", "bn1.running_var",
                                        "bn1.weight",       "conv1.weight",
                                        "fc.bias",          "fc.weight"};
    assert_ok(ic_safetensors_open(context, bytes.bytes, bytes.size, &file));
    assert_int_equal(ic_safetensors_count(file), 8);
    for (int32_t i = 0; i < 8; i++)
        assert_string_equal(ic_safetensors_at(file, i)->name, names[i]);
    const ic_tensor_entry *conv = ic_safetensors_find(file, "conv1.weight");
    assert_true(conv->rank == 4 && conv->shape[0] == 2 && conv->shape[1] == 1 &&
                conv->shape[2] == 3 && conv->shape[3] == 3);
    assert_string_equal(ic_safetensors_metadata(file, "format"), "pt");
    assert_string_equal(ic_safetensors_metadata(file, IC_KEY_CLASSES), "[\"class 0\",\"class 1\"]");
    ic_safetensors_free(file);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_files(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1), *loaded = NULL;
    ic_buffer bytes = fixture_bytes(model);
    const char *folder = test_folder();
    const char *path = test_path(folder, "m\xc3\xb6"
                                         "del.safetensors");
    size_t size;
    assert_ok(ic_model_save(model, path));
    void *read = test_read_file(path, &size);
    assert_int_equal(size, bytes.size);
    assert_memory_equal(read, bytes.bytes, size);
    free(read);
    assert_ok(ic_model_load(context, path, &loaded));
    ic_model_free(loaded);
    test_write(path, bytes.bytes, bytes.size - 1);
    assert_fails(IC_ERROR_FORMAT, path, ic_model_load(context, path, &loaded));
    assert_fails(IC_ERROR_FORMAT, "cut short", ic_model_load(context, path, &loaded));
    path = test_path(folder, "missing.safetensors");
    assert_fails(IC_ERROR_NOT_FOUND, path, ic_model_load(context, path, &loaded));
    path = test_path(folder, "no/such/folder.safetensors");
    assert_fails(IC_ERROR_NOT_FOUND, path, ic_model_save(model, path));
    test_folder_remove(folder);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_memory_forms(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    size_t size = 0, needed;
    assert_ok(ic_model_save_memory(model, NULL, 0, &size));
    assert_int_equal(size, bytes.size);
    unsigned char *buffer = malloc(size + 1);
    memset(buffer, 7, size + 1);
    assert_fails(IC_ERROR_LIMIT, "too small",
                 ic_model_save_memory(model, buffer, size - 1, &needed));
    assert_int_equal(needed, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(buffer[i], 7);
    assert_ok(ic_model_save_memory(model, buffer, size, &needed));
    assert_memory_equal(buffer, bytes.bytes, size);
    assert_int_equal(buffer[size], 7);
    free(buffer);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

/* A limit on the size of files stands for a full disk: the write fails halfway. */
static void test_a_full_disk_keeps_the_old_file(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, 10, 1);
    const char *folder = test_folder();
    const char *path = test_path(folder, "model.safetensors");
    struct rlimit old, small;
    size_t size;
    test_write(path, "the old file", 12);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ic_status status = ic_model_save(model, path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_fails(IC_ERROR_IO, path, status);
    char *read = test_read_file(path, &size);
    assert_int_equal(size, 12);
    assert_memory_equal(read, "the old file", 12);
    free(read);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0); /* no temporary is left */
    ic_model_free(model);
    ic_context_free(context);
}

static void test_json(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    char text[4096];
    size_t size = 0;
    json_error_t error;
    assert_ok(ic_model_json(model, NULL, 0, &size));
    assert_fails(IC_ERROR_LIMIT, "too small", ic_model_json(model, text, size - 1, &size));
    assert_ok(ic_model_json(model, text, sizeof text, &size));
    assert_int_equal(strlen(text) + 1, size);
    json_t *json = json_loads(text, 0, &error);
    assert_non_null(json);
    /* conv 2x1x3x3, norm 2 x 2, linear 2x40 and 2; statistics do not count */
    assert_int_equal(json_integer_value(json_object_get(json, "parameters")), 18 + 4 + 80 + 2);
    assert_string_equal(json_string_value(json_object_get(json, "network")), "");
    json_t *input = json_object_get(json, "input");
    assert_int_equal(json_integer_value(json_object_get(input, "width")), 5);
    assert_int_equal(json_integer_value(json_object_get(input, "height")), 4);
    assert_int_equal(json_integer_value(json_object_get(input, "channels")), 1);
    assert_int_equal(json_array_size(json_object_get(json, "classes")), 2);
    assert_true(json_is_object(json_object_get(json, "pipeline")));
    assert_true(json_is_object(json_object_get(json, "training")));
    json_decref(json);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_null_arguments(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1), *out = NULL;
    size_t size;
    assert_fails(IC_ERROR_ARGUMENT, "context is NULL", ic_model_load(NULL, "x", &out));
    assert_fails(IC_ERROR_ARGUMENT, "path is NULL", ic_model_load(context, NULL, &out));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_model_load(context, "x", NULL));
    assert_fails(IC_ERROR_ARGUMENT, "bytes is NULL", ic_model_load_memory(context, NULL, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_model_save(NULL, "x"));
    assert_fails(IC_ERROR_ARGUMENT, "path is NULL", ic_model_save(model, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_model_save_memory(NULL, NULL, 0, &size));
    assert_fails(IC_ERROR_ARGUMENT, "size is NULL", ic_model_save_memory(model, NULL, 0, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_model_json(NULL, NULL, 0, &size));
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_model_input(NULL, NULL, NULL, NULL));
    assert_ok(ic_model_input(model, NULL, NULL, NULL));
    assert_int_equal(ic_model_class_count(NULL), 0);
    assert_null(ic_model_class_name(NULL, 0));
    ic_model_free(NULL);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- What is refused ---- */

typedef struct metadata_case {
    const char *key, *text; /* NULL: taken away */
    ic_status status;
    const char *words;
} metadata_case;

static const metadata_case metadata_cases[] = {
    {IC_KEY_VERSION, NULL, IC_ERROR_FORMAT, "not a model of imgcls"},
    {IC_KEY_REQUIRES, NULL, IC_ERROR_FORMAT, IC_KEY_REQUIRES},
    {IC_KEY_NETWORK, NULL, IC_ERROR_FORMAT, IC_KEY_NETWORK},
    {IC_KEY_GRAPH, NULL, IC_ERROR_FORMAT, IC_KEY_GRAPH},
    {IC_KEY_CLASSES, NULL, IC_ERROR_FORMAT, IC_KEY_CLASSES},
    {IC_KEY_PIPELINE, NULL, IC_ERROR_FORMAT, IC_KEY_PIPELINE},
    {IC_KEY_TRAINING, NULL, IC_ERROR_FORMAT, IC_KEY_TRAINING},
    {IC_KEY_VERSION, "2", IC_ERROR_UNSUPPORTED, "newer imgcls"},
    {IC_KEY_VERSION, "0", IC_ERROR_FORMAT, "not a version"},
    {IC_KEY_VERSION, "one", IC_ERROR_FORMAT, "not a version"},
    {IC_KEY_REQUIRES, "{}", IC_ERROR_FORMAT, "not an array"},
    {IC_KEY_REQUIRES, "[1]", IC_ERROR_FORMAT, "not a text"},
    {IC_KEY_REQUIRES, "[\"time travel\"]", IC_ERROR_UNSUPPORTED, "\"time travel\""},
    {IC_KEY_REQUIRES, "[\"normalise\",\"time travel\"]", IC_ERROR_UNSUPPORTED, "\"time travel\""},
    {IC_KEY_REQUIRES, "", IC_ERROR_FORMAT, "not valid JSON"},
    {IC_KEY_GRAPH, "{}", IC_ERROR_FORMAT, IC_KEY_GRAPH ": "},
    {IC_KEY_GRAPH, "[]", IC_ERROR_FORMAT, IC_KEY_GRAPH ": "},
    {IC_KEY_CLASSES, "{}", IC_ERROR_FORMAT, "0 class names"},
    {IC_KEY_CLASSES, "[\"a\"]", IC_ERROR_FORMAT, "1 class names, but the network tells 2"},
    {IC_KEY_CLASSES, "[\"a\",\"b\",\"c\"]", IC_ERROR_FORMAT, "3 class names"},
    {IC_KEY_CLASSES, "[\"a\",\"a\"]", IC_ERROR_FORMAT, "class a is there twice"},
    {IC_KEY_CLASSES, "[\"a\",\"\"]", IC_ERROR_FORMAT, "class 1 has no name"},
    {IC_KEY_CLASSES, "[\"a\",2]", IC_ERROR_FORMAT, "class 1 is not a text"},
    {IC_KEY_PIPELINE, "{}", IC_ERROR_FORMAT, IC_KEY_PIPELINE ": "},
    {IC_KEY_PIPELINE, "7", IC_ERROR_FORMAT, IC_KEY_PIPELINE},
    {IC_KEY_TRAINING, "[]", IC_ERROR_FORMAT, "not an object"},
    {IC_KEY_TRAINING, "{\"a\":1,\"a\":2}", IC_ERROR_FORMAT, "duplicate"},
    {IC_KEY_COSTS, "{}", IC_ERROR_FORMAT, IC_KEY_COSTS ": there is not one row"},
    {IC_KEY_COSTS, "[[0,1]]", IC_ERROR_FORMAT, "one row for each of 2 classes"},
    {IC_KEY_COSTS, "[[0,1],[1]]", IC_ERROR_FORMAT, "row 1 has not 2 numbers"},
    {IC_KEY_COSTS, "[[0,-1],[1,0]]", IC_ERROR_FORMAT, "a cost is no number"},
    {IC_KEY_COSTS, "[[0,\"a\"],[1,0]]", IC_ERROR_FORMAT, "a cost is no number"},
};

static void test_hostile_metadata(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    for (size_t i = 0; i < sizeof metadata_cases / sizeof *metadata_cases; i++) {
        const metadata_case *c = &metadata_cases[i];
        ic_buffer bad = altered(&bytes, c->key, c->text, NULL);
        load_fails(c->status, c->words, &bad);
        ic_buffer_free(&bad);
    }
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

/* A pipeline and a graph, each sound, that do not belong together. */
static void test_a_pipeline_of_another_size(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    ic_model_free(model);
    model = fixture_make(context, "lenet5", 28, 3, 2, 1);
    json_t *json;
    assert_ok(ic_pipeline_to_json(&model->pipeline, &json));
    char *text = json_dumps(json, 0);
    ic_buffer bad = altered(&bytes, IC_KEY_PIPELINE, text, NULL);
    load_fails(IC_ERROR_FORMAT, "gives 28 x 28 x 3, but the network takes 5 x 4 x 1", &bad);
    free(text);
    json_decref(json);
    ic_buffer_free(&bad);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_hostile_tensors(void **state)
{
    const float two[2] = {1, 2}, nan[2] = {1, NAN}, negative[2] = {1, -1};
    const int64_t count = 5;
    const unsigned char *data = (const unsigned char *)two;
    const struct {
        ic_tensor_entry tensor;
        const char *words;
    } cases[] = {
        {{"fc.bias", IC_F32, 0, {0}, 0, NULL}, "tensor fc.bias is missing"},
        {{"fc.bias", IC_F32, 1, {1}, 1, data}, "tensor fc.bias has another shape"},
        {{"fc.bias", IC_F32, 2, {1, 2}, 2, data}, "tensor fc.bias has another shape"},
        {{"fc.bias", IC_I32, 1, {2}, 2, data}, "tensor fc.bias holds I32"},
        {{"fc.bias", IC_F32, 1, {2}, 2, (const unsigned char *)nan}, "fc.bias: element 1"},
        {{"bn1.running_var", IC_F32, 1, {2}, 2, (const unsigned char *)negative},
         "bn1.running_var: element 1 is a negative variance"},
        {{"optimizer.step", IC_F32, 1, {2}, 2, data}, "tensor optimizer.step is not of"},
        {{"bn1.num_batches_tracked", IC_F32, 0, {0}, 1, data}, "bn1.num_batches_tracked is not of"},
        {{"bn2.num_batches_tracked", IC_I64, 0, {0}, 1, (const unsigned char *)&count},
         "bn2.num_batches_tracked is not of"},
    };
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ic_buffer bad = altered(&bytes, NULL, NULL, &cases[i].tensor);
        load_fails(IC_ERROR_FORMAT, cases[i].words, &bad);
        ic_buffer_free(&bad);
    }
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_other_types_of_weights(void **state)
{
    const double bias[2] = {0.5, -0.25};
    const uint16_t half[2] = {0x3800, 0xB400}, brain[2] = {0x3F00, 0xBE80};
    const ic_tensor_entry biases[] = {
        {"fc.bias", IC_F64, 1, {2}, 2, (const unsigned char *)bias},
        {"fc.bias", IC_F16, 1, {2}, 2, (const unsigned char *)half},
        {"fc.bias", IC_BF16, 1, {2}, 2, (const unsigned char *)brain},
    };
    const ic_tensor_entry none = {"bn1.num_batches_tracked", IC_I64, 0, {0}, 1, NULL};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1), *loaded;
    ic_buffer bytes = fixture_bytes(model), first = {.context = context};
    for (int i = 0; i < 3; i++) {
        ic_buffer other = altered(&bytes, NULL, NULL, &biases[i]);
        assert_ok(ic_model_load_memory(context, other.bytes, other.size, &loaded));
        ic_buffer again = fixture_bytes(loaded);
        if (i == 0)
            assert_ok(ic_buffer_append(&first, again.bytes, again.size));
        assert_int_equal(first.size, again.size);
        assert_memory_equal(first.bytes, again.bytes, again.size);
        ic_buffer_free(&again);
        ic_buffer_free(&other);
        ic_model_free(loaded);
    }
    ic_buffer without = altered(&bytes, NULL, NULL, &none); /* state dicts may lack the counts */
    assert_ok(ic_model_load_memory(context, without.bytes, without.size, &loaded));
    ic_model_free(loaded);
    ic_buffer_free(&without);
    ic_buffer_free(&first);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Damage, with and without a hash that covers it ---- */

static void reseal(ic_buffer *bytes)
{
    char hash[IC_SHA256_TEXT];
    size_t header = bytes->bytes[0] | (size_t)bytes->bytes[1] << 8, digits;
    if (8 + header > bytes->size ||
        !ic_safetensors_find_digits((char *)bytes->bytes + 8, header, &digits))
        return;
    ic_safetensors_hash(bytes->bytes, bytes->size, 8 + digits, hash);
    memcpy(bytes->bytes + 8 + digits, hash, IC_SHA256_TEXT - 1);
}

/* What loads must predict, or say why not. */
static void try_to_use(const ic_buffer *bytes, const ic_image *image, ic_prediction *prediction)
{
    ic_model *model;
    ic_status status = ic_model_load_memory(bytes->context, bytes->bytes, bytes->size, &model);
    assert_true(status == IC_OK || status == IC_ERROR_FORMAT || status == IC_ERROR_UNSUPPORTED ||
                status == IC_ERROR_LIMIT);
    if (status < 0)
        return;
    status = ic_predict(model, image, prediction);
    assert_true(status == IC_OK || status == IC_ERROR_DIVERGED);
    ic_model_free(model);
}

static void test_every_altered_byte(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_image *image = fixture_image(context, 9, 9, 1);
    ic_prediction *prediction;
    ic_buffer bytes = fixture_bytes(model);
    assert_ok(ic_prediction_create(context, &prediction));
    for (size_t i = 0; i < bytes.size; i++) {
        const unsigned char flips[] = {1, 2, 0x10, 0x80};
        for (int f = 0; f < 4; f++) {
            ic_buffer bad = {.context = context};
            assert_ok(ic_buffer_append(&bad, bytes.bytes, bytes.size));
            bad.bytes[i] ^= flips[f];
            try_to_use(&bad, image, prediction);
            reseal(&bad); /* past the hash, to what lies behind it */
            try_to_use(&bad, image, prediction);
            ic_buffer_free(&bad);
        }
    }
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_every_cut(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    for (size_t size = 0; size < bytes.size; size++) {
        unsigned char *cut = malloc(size + 1);
        ic_model *none = NULL;
        memcpy(cut, bytes.bytes, size);
        assert_fails(IC_ERROR_FORMAT, "", ic_model_load_memory(context, cut, size, &none));
        assert_null(none);
        free(cut);
    }
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_an_altered_weight_is_noticed(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    bytes.bytes[bytes.size - 2] ^= 1;
    load_fails(IC_ERROR_FORMAT, "altered or damaged", &bytes);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Out of memory ---- */

static ic_status load_flow(ic_context *context, void *payload)
{
    const ic_buffer *bytes = payload;
    ic_model *model;
    IC_TRY(ic_model_load_memory(context, bytes->bytes, bytes->size, &model));
    ic_model_free(model);
    return IC_OK;
}

static ic_status save_flow(ic_context *context, void *payload)
{
    ic_model *model;
    size_t size;
    IC_TRY(fixture_model(context, "tiny", 0, 0, 0, 1, &model));
    ic_status status = ic_model_save_memory(model, NULL, 0, &size);
    if (status >= 0)
        status = ic_model_save(model, payload);
    ic_model_free(model);
    return status;
}

static ic_status predict_flow(ic_context *context, void *payload)
{
    const unsigned char pixels[2 * 3 * 3] = {1, 2, 3, 200, 100, 50, 7};
    ic_model *model = NULL;
    ic_image *image = NULL;
    ic_prediction *prediction = NULL;
    ic_status status;
    IC_TRY_CLEAN(fixture_model(context, "tiny", 0, 0, 0, 1, &model));
    IC_TRY_CLEAN(ic_image_from_pixels(context, pixels, 2, 3, 0, IC_PIXELS_RGB8, &image));
    IC_TRY_CLEAN(ic_prediction_create(context, &prediction));
    IC_TRY_CLEAN(ic_predict(model, image, prediction));
    const ic_image *two[2] = {image, image};
    IC_TRY_CLEAN(ic_predict_batch(model, two, 2, prediction));
    char text[2048];
    size_t size;
    status = ic_model_json(model, text, sizeof text, &size);
cleanup:
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    return status;
}

static void test_out_of_memory(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_buffer bytes = fixture_bytes(model);
    const char *folder = test_folder();
    assert_true(test_fail_each_allocation(load_flow, &bytes) > 10);
    assert_true(test_fail_each_allocation(save_flow, (void *)test_path(folder, "m")) > 10);
    assert_true(test_fail_each_allocation(predict_flow, NULL) > 10);
    test_folder_remove(folder);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded_predicts_the_same_bits),
        cmocka_unit_test(test_the_record_comes_back),
        cmocka_unit_test(test_what_older_readers_cannot_do_is_required),
        cmocka_unit_test(test_tensors_are_torchs),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_memory_forms),
        cmocka_unit_test(test_a_full_disk_keeps_the_old_file),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_hostile_metadata),
        cmocka_unit_test(test_a_pipeline_of_another_size),
        cmocka_unit_test(test_hostile_tensors),
        cmocka_unit_test(test_other_types_of_weights),
        cmocka_unit_test(test_every_altered_byte),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_an_altered_weight_is_noticed),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
