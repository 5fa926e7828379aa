/* serialize/test_safetensors.c: containers written, read back, and refused.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include "base/status.h"
#include "serialize/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float weights[6] = {1, -2, 3.5f, 0, 1e-20f, 7};
static const float bias[2] = {0.25f, -0.5f};
static const int64_t steps = 123456789012;
static const unsigned char bytes3[3] = {1, 2, 255};

/* Out of order on purpose. */
static const ic_tensor_entry samples[] = {
    {"raw", IC_U8, 1, {3}, 3, bytes3},
    {"fc.weight", IC_F32, 2, {2, 3}, 6, (const unsigned char *)weights},
    {"bn.num_batches_tracked", IC_I64, 0, {0}, 1, (const unsigned char *)&steps},
    {"fc.bias", IC_F32, 1, {2}, 2, (const unsigned char *)bias},
    {"\xc3\xa9mpty \"name\"", IC_F32, 2, {4, 0}, 0, (const unsigned char *)weights},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static ic_buffer write_samples(ic_context *context, const ic_tensor_entry *tensors, int32_t count)
{
    ic_buffer out = {.context = context};
    json_t *metadata = json_pack("{s:s, s:s}", "format", "pt", "note", "caf\xc3\xa9 \"x\" \\");
    assert_ok(ic_safetensors_write(context, metadata, tensors, count, &out));
    json_decref(metadata);
    return out;
}

/* ---- Round trips ---- */

static void check_sample(const ic_safetensors *file, const ic_tensor_entry *sample)
{
    const ic_tensor_entry *read = ic_safetensors_find(file, sample->name);
    assert_non_null(read);
    assert_string_equal(read->name, sample->name);
    assert_int_equal(read->dtype, sample->dtype);
    assert_int_equal(read->rank, sample->rank);
    assert_int_equal(read->count, sample->count);
    for (int32_t i = 0; i < sample->rank; i++)
        assert_int_equal(read->shape[i], sample->shape[i]);
    assert_memory_equal(read->data, sample->data,
                        (size_t)sample->count * ic_dtype_size(sample->dtype));
}

static void test_round_trip(void **state)
{
    ic_context *context = test_context(1);
    ic_buffer out = write_samples(context, samples, SAMPLES);
    ic_safetensors *file;
    assert_ok(ic_safetensors_open(context, out.bytes, out.size, &file));
    assert_ok(ic_safetensors_check_hash(file));
    assert_int_equal(ic_safetensors_count(file), SAMPLES);
    for (int32_t i = 0; i < SAMPLES; i++)
        check_sample(file, &samples[i]);
    for (int32_t i = 1; i < SAMPLES; i++)
        assert_true(strcmp(ic_safetensors_at(file, i - 1)->name, ic_safetensors_at(file, i)->name) <
                    0);
    assert_null(ic_safetensors_find(file, "fc"));
    assert_string_equal(ic_safetensors_metadata(file, "format"), "pt");
    assert_string_equal(ic_safetensors_metadata(file, "note"), "caf\xc3\xa9 \"x\" \\");
    assert_null(ic_safetensors_metadata(file, "fc.bias"));
    /* The first tensor is the one with the largest elements, at an aligned place. */
    const ic_tensor_entry *first = ic_safetensors_find(file, "bn.num_batches_tracked");
    assert_int_equal((first->data - out.bytes) % IC_TENSOR_DATA_ALIGNMENT, 0);
    ic_safetensors_free(file);
    ic_buffer_free(&out);
    ic_context_free(context);
}

static void test_same_content_same_bytes(void **state)
{
    ic_context *context = test_context(1);
    ic_tensor_entry turned[SAMPLES];
    for (int32_t i = 0; i < SAMPLES; i++)
        turned[i] = samples[SAMPLES - 1 - i];
    ic_buffer a = write_samples(context, samples, SAMPLES);
    ic_buffer b = write_samples(context, turned, SAMPLES);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
    ic_buffer_free(&a);
    ic_buffer_free(&b);
    ic_context_free(context);
}

static void test_no_tensors(void **state)
{
    ic_context *context = test_context(1);
    ic_buffer out = write_samples(context, NULL, 0);
    ic_safetensors *file;
    assert_ok(ic_safetensors_open(context, out.bytes, out.size, &file));
    assert_ok(ic_safetensors_check_hash(file));
    assert_int_equal(ic_safetensors_count(file), 0);
    assert_null(ic_safetensors_find(file, "x"));
    ic_safetensors_free(file);
    ic_buffer_free(&out);
    ic_context_free(context);
}

static void test_a_name_twice_is_refused_by_the_writer(void **state)
{
    ic_context *context = test_context(1);
    ic_tensor_entry twice[2] = {samples[0], samples[0]};
    ic_buffer out = {.context = context};
    json_t *metadata = json_object();
    assert_fails(IC_ERROR_INTERNAL, "raw", ic_safetensors_write(context, metadata, twice, 2, &out));
    json_decref(metadata);
    ic_buffer_free(&out);
    ic_context_free(context);
}

/* ---- Against plain Python ---- */

static void test_python_agrees(void **state)
{
    const char *tools = getenv("IMGCLS_TEST_TOOLS");
    if (tools == NULL || system("python3 -c pass 2>/dev/null") != 0) {
        print_message("no python3 or IMGCLS_TEST_TOOLS: the oracle is skipped\n");
        skip();
    }
    ic_context *context = test_context(1);
    ic_buffer out = write_samples(context, samples, SAMPLES);
    const char *folder = test_folder();
    const char *path = test_path(folder, "sample.safetensors");
    test_write(path, out.bytes, out.size);
    char command[2048], line[512], printed[4096] = "";
    snprintf(command, sizeof command,
             "PYTHONIOENCODING=utf-8 python3 '%s/safetensors_oracle.py' '%s'", tools, path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe) != NULL)
        strncat(printed, line, sizeof printed - strlen(printed) - 1);
    assert_int_equal(pclose(pipe), 0);
    /* The digests are those of the samples' little-endian bytes, from Python's struct and hashlib.
     */
    assert_string_equal(printed,
                        "meta format\nmeta note\nmeta imgcls.sha256\n"
                        "tensor bn.num_batches_tracked I64 scalar "
                        "4404e3caecc299cdc3fb3b9725109319035a9f0d077e4c2c85bc38bbf66ea9c4\n"
                        "tensor fc.bias F32 2 "
                        "a87f7282fda4eba58e73df7310253f02b521d912a9d040beb42c09dceae258fd\n"
                        "tensor fc.weight F32 2x3 "
                        "61c242df2fa87700fff75d6a511954ba7779bd3b8f1c4ce26817c2aefbfc700b\n"
                        "tensor \xc3\xa9mpty \"name\" F32 4x0 "
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                        "tensor raw U8 3 "
                        "0526d0e18ea19dfaad9d79166bec1e18d6221ef6b1830385fe9bf67022ed5f96\n");
    test_folder_remove(folder);
    ic_buffer_free(&out);
    ic_context_free(context);
}

/* ---- What is refused ---- */

/* A file with this header and this much data, all zeros. */
static ic_status open_made(const char *header, size_t header_size, size_t data_size)
{
    ic_context *context = test_context(1);
    size_t size = 8 + header_size + data_size;
    unsigned char *made = calloc(1, size);
    ic_safetensors *file = NULL;
    for (int i = 0; i < 8; i++)
        made[i] = (unsigned char)((uint64_t)header_size >> (8 * i));
    memcpy(made + 8, header, header_size);
    ic_status status = ic_safetensors_open(context, made, size, &file);
    if (status < 0)
        assert_null(file);
    ic_safetensors_free(file);
    free(made);
    ic_context_free(context);
    return status;
}

typedef struct refusal {
    const char *header;
    size_t data_size;
    ic_status status;
    const char *words;
} refusal;

#define TENSOR(shape, begin, end)                                                                  \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static const refusal refusals[] = {
    {"{}", 1, IC_ERROR_FORMAT, "1 bytes behind the last tensor"},
    {"[]", 0, IC_ERROR_FORMAT, "does not begin with {"},
    {" {}", 0, IC_ERROR_FORMAT, "does not begin with {"},
    {"{", 0, IC_ERROR_FORMAT, "not valid JSON"},
    {"{} {}", 0, IC_ERROR_FORMAT, "not valid JSON"},
    {"{\"a\xff\":1}", 0, IC_ERROR_FORMAT, "not valid UTF-8"},
    {"{\"a\":" TENSOR("[1]", "0", "4") ",\"a\":" TENSOR("[1]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "duplicate"},
    {"{\"__metadata__\":[]}", 0, IC_ERROR_FORMAT, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, IC_ERROR_FORMAT, "__metadata__: k is not a text"},
    {"{\"a\":7}", 0, IC_ERROR_FORMAT, "tensor a is not described"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, IC_ERROR_FORMAT, "tensor a is not described"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"offsets\":[0,4]}}", 4, IC_ERROR_FORMAT,
     "a: \"data_offsets\" is missing"},
    {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, IC_ERROR_FORMAT, "dtype"},
    {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
     IC_ERROR_UNSUPPORTED, "tensor a is of type F8_E4M3"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", 4, IC_ERROR_FORMAT, "shape"},
    {"{\"a\":" TENSOR("[-1]", "0", "4") "}", 4, IC_ERROR_FORMAT, "not a size"},
    {"{\"a\":" TENSOR("[1.0]", "0", "4") "}", 4, IC_ERROR_FORMAT, "not a size"},
    {"{\"a\":" TENSOR("[\"1\"]", "0", "4") "}", 4, IC_ERROR_FORMAT, "not a size"},
    {"{\"a\":" TENSOR("[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "tensor a has 9 dimensions, where at most 8"},
    {"{\"a\":" TENSOR("[4294967296,4294967296]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "larger than any memory"},
    {"{\"a\":" TENSOR("[4294967296,4294967296,0]", "0", "0") "}", 0, IC_ERROR_FORMAT,
     "larger than any memory"},
    {"{\"a\":" TENSOR("[4611686018427387905]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "does not fit its 4 bytes"},
    {"{\"a\":" TENSOR("[9223372036854775808]", "0", "4") "}", 4, IC_ERROR_FORMAT, "not valid JSON"},
    {"{\"a\":" TENSOR("[2]", "0", "4") "}", 4, IC_ERROR_FORMAT, "shape does not fit its 4 bytes"},
    {"{\"a\":" TENSOR("[0]", "0", "4") "}", 4, IC_ERROR_FORMAT, "shape does not fit its 4 bytes"},
    {"{\"a\":" TENSOR("[1]", "4", "0") "}", 4, IC_ERROR_FORMAT, "not a begin and an end"},
    {"{\"a\":" TENSOR("[1]", "-4", "0") "}", 4, IC_ERROR_FORMAT, "not a begin and an end"},
    {"{\"a\":" TENSOR("[1]", "0", "4.0") "}", 4, IC_ERROR_FORMAT, "not a begin and an end"},
    {"{\"a\":" TENSOR("[1]", "0", "4,8") "}", 8, IC_ERROR_FORMAT, "not a begin and an end"},
    {"{\"a\":" TENSOR("[1]", "0", "4") "}", 3, IC_ERROR_FORMAT, "ends at 4 of 3 bytes"},
    {"{\"a\":" TENSOR("[1]", "0", "4") "}", 5, IC_ERROR_FORMAT, "1 bytes behind the last"},
    {"{\"a\":" TENSOR("[1]", "4", "8") "}", 8, IC_ERROR_FORMAT, "tensor a leaves a hole"},
    {"{\"a\":" TENSOR("[1]", "0", "4") ",\"b\":" TENSOR("[1]", "5", "9") "}", 9, IC_ERROR_FORMAT,
     "tensor b leaves a hole"},
    {"{\"a\":" TENSOR("[2]", "0", "8") ",\"b\":" TENSOR("[1]", "4", "8") "}", 8, IC_ERROR_FORMAT,
     "tensor b overlaps"},
    {"{\"a\":" TENSOR("[1]", "0", "4") ",\"b\":" TENSOR("[1]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "overlaps another"},
    {"{\"a\":" TENSOR("[0]", "2", "2") ",\"b\":" TENSOR("[1]", "0", "4") "}", 4, IC_ERROR_FORMAT,
     "overlaps another"},
};

static void test_refusals(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        assert_fails(r->status, r->words, open_made(r->header, strlen(r->header), r->data_size));
    }
}

static void test_odd_but_sound(void **state)
{
    /* White space, a padded header, names in any order, an empty tensor at the end, no metadata. */
    const char *header = "{ \"b\" : " TENSOR("[1]", "4", "8") ",\n\"z\":" TENSOR(
        "[0,9]", "8", "8") ",\"a\":" TENSOR("[]", "0", "4") "}  ";
    assert_ok(open_made(header, strlen(header), 8));
}

static ic_status open_bytes(const void *bytes, size_t size)
{
    ic_context *context = test_context(1);
    ic_safetensors *file = NULL;
    ic_status status = ic_safetensors_open(context, bytes, size, &file);
    ic_safetensors_free(file);
    ic_context_free(context);
    return status;
}

static void test_lengths(void **state)
{
    static unsigned char bytes[32];
    assert_fails(IC_ERROR_FORMAT, "only 0 bytes", open_bytes(bytes, 0));
    assert_fails(IC_ERROR_FORMAT, "only 7 bytes", open_bytes(bytes, 7));
    assert_fails(IC_ERROR_FORMAT, "does not begin with {", open_bytes(bytes, 8)); /* empty header */
    bytes[0] = 25;
    assert_fails(IC_ERROR_FORMAT, "cut short: its header of 25 bytes", open_bytes(bytes, 32));
    memset(bytes, 0xFF, 8);
    assert_fails(IC_ERROR_FORMAT, "a header of 18446744073709551615 bytes", open_bytes(bytes, 32));
    memset(bytes, 0, 8);
    bytes[3] = 1; /* 16 MiB: the limit itself */
    assert_fails(IC_ERROR_FORMAT, "cut short", open_bytes(bytes, 32));
    bytes[0] = 1;
    assert_fails(IC_ERROR_FORMAT, "a header of 16777217 bytes", open_bytes(bytes, 32));
}

static void test_too_many_tensors(void **state)
{
    enum { EACH = 64 };
    char *header = malloc((size_t)(IC_TENSOR_COUNT_MAX + 2) * EACH);
    for (int extra = 0; extra < 2; extra++) {
        size_t size = 0;
        for (int i = 0; i < IC_TENSOR_COUNT_MAX + extra; i++)
            size += (size_t)snprintf(header + size, EACH, "%c\"%d\":" TENSOR("[0]", "0", "0"),
                                     i == 0 ? '{' : ',', i);
        header[size++] = '}';
        if (extra)
            assert_fails(IC_ERROR_FORMAT, "65537 tensors", open_made(header, size, 0));
        else
            assert_ok(open_made(header, size, 0));
    }
    free(header);
}

static void test_deep_nesting(void **state)
{
    enum { DEPTH = 100000 };
    char *header = malloc(DEPTH + 16);
    size_t size = (size_t)sprintf(header, "{\"a\":");
    memset(header + size, '[', DEPTH);
    assert_fails(IC_ERROR_FORMAT, "not valid JSON", open_made(header, size + DEPTH, 0));
    free(header);
}

/* ---- The hash ---- */

static void test_every_altered_byte_is_noticed(void **state)
{
    ic_context *context = test_context(1);
    ic_buffer out = write_samples(context, samples, SAMPLES);
    for (size_t i = 0; i < out.size; i++) {
        ic_safetensors *file = NULL;
        out.bytes[i] ^= 1;
        ic_status status = ic_safetensors_open(context, out.bytes, out.size, &file);
        /* The one unnoticed change is that of the hash's own key: then there is no hash. */
        if (status == IC_OK && ic_safetensors_metadata(file, "imgcls.sha256") != NULL)
            assert_fails(IC_ERROR_FORMAT, "", ic_safetensors_check_hash(file));
        ic_safetensors_free(file);
        out.bytes[i] ^= 1;
    }
    ic_buffer_free(&out);
    ic_context_free(context);
}

static void test_every_cut_is_noticed(void **state)
{
    ic_context *context = test_context(1);
    ic_buffer out = write_samples(context, samples, SAMPLES);
    for (size_t size = 0; size < out.size; size++) {
        unsigned char *cut = malloc(size + 1); /* its own block, so that tools see a step beyond */
        memcpy(cut, out.bytes, size);
        assert_fails(IC_ERROR_FORMAT, "", open_bytes(cut, size));
        free(cut);
    }
    ic_buffer_free(&out);
    ic_context_free(context);
}

static void test_missing_and_misshapen_hashes(void **state)
{
    const char *headers[] = {"{\"__metadata__\":{\"format\":\"pt\"}}",
                             "{\"__metadata__\":{\"imgcls.sha256\":\"00\"}}",
                             "{\"__metadata__\":{\"imgcls.sha256\":\"\"}}"};
    ic_context *context = test_context(1);
    for (int i = 0; i < 3; i++) {
        unsigned char bytes[128] = {(unsigned char)strlen(headers[i])};
        ic_safetensors *file;
        memcpy(bytes + 8, headers[i], strlen(headers[i]));
        assert_ok(ic_safetensors_open(context, bytes, 8 + strlen(headers[i]), &file));
        if (i == 0)
            assert_ok(ic_safetensors_check_hash(file));
        else
            assert_fails(IC_ERROR_FORMAT, "64 hexadecimal digits", ic_safetensors_check_hash(file));
        ic_safetensors_free(file);
    }
    ic_context_free(context);
}

/* ---- Out of memory ---- */

static ic_status write_and_open(ic_context *context, void *payload)
{
    ic_buffer out = {.context = context};
    ic_safetensors *file = NULL;
    json_t *metadata = json_pack("{s:s}", "format", "pt");
    ic_status status;
    IC_TRY_CLEAN(ic_safetensors_write(context, metadata, samples, SAMPLES, &out));
    status = ic_safetensors_open(context, out.bytes, out.size, &file);
cleanup:
    ic_safetensors_free(file);
    ic_buffer_free(&out);
    json_decref(metadata);
    return status;
}

static void test_out_of_memory(void **state)
{
    assert_true(test_fail_each_allocation(write_and_open, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_same_content_same_bytes),
        cmocka_unit_test(test_no_tensors),
        cmocka_unit_test(test_a_name_twice_is_refused_by_the_writer),
        cmocka_unit_test(test_python_agrees),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_odd_but_sound),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_too_many_tensors),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_every_altered_byte_is_noticed),
        cmocka_unit_test(test_every_cut_is_noticed),
        cmocka_unit_test(test_missing_and_misshapen_hashes),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
