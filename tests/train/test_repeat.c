/* train/test_repeat.c: the flags that a model gives repeat its training. SPDX-License-Identifier:
 * MIT
 */
#include "shapes.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* What auto would not choose, and numbers that no short decimal gives back. */
static const char *const unusual[] = {"network",     "small",       "epochs",
                                      "2",           "batch_size",  "32",
                                      "channels",    "grey",        "resize",
                                      "crop",        "filter",      "bicubic",
                                      "denoise",     "median",      "denoise_strength",
                                      "0.7",         "brightness",  "0.05263157894736842",
                                      "noise",       "1e-8",        "turns",
                                      "half",        "input_size",  "18",
                                      "rates",       "fc.*=0.3333", "normalise",
                                      "picture",     "crop_scale",  "0.7",
                                      "crop_aspect", "1.7",         NULL,
                                      NULL};
static const char *const given[] = {"network",     "lenet5",    "epochs",      "1",  "mean",
                                    "0.1,0.2,0.3", "deviation", "0.7,0.6,0.5", NULL, NULL};
static const char *const chosen[] = {"epochs", "1", NULL, NULL};

static char *flags_of(const ic_model *model)
{
    size_t size;
    assert_ok(ic_model_flags(model, NULL, 0, &size));
    char *flags = malloc(size);
    assert_ok(ic_model_flags(model, flags, size, &size));
    assert_int_equal(strlen(flags) + 1, size);
    return flags;
}

/* Cuts off the word that *at begins with. */
static char *next_word(char **at)
{
    char *word = *at;
    *at += strcspn(word, " ");
    if (**at == ' ')
        *(*at)++ = '\0';
    return word;
}

/* The value of a flag, without the quotes that a shell would take away. */
static char *unquoted(char *word)
{
    size_t length = strlen(word);
    if (word[0] != '\'')
        return word;
    word[length - 1] = '\0';
    return word + 1;
}

/* The options that the flags stand for; "group" is one of opening. */
static ic_options *options_of(ic_context *context, char *flags)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    while (*flags != '\0') {
        char *name = next_word(&flags);
        char *value = unquoted(next_word(&flags));
        assert_memory_equal(name, "--", 2);
        for (char *c = name + 2; *c != '\0'; c++)
            *c = *c == '-' ? '_' : *c;
        assert_ok(ic_options_set_text(options, name + 2, value));
    }
    return options;
}

static void repeats(const char *const *pairs)
{
    training first = training_begin(2, pairs);
    assert_ok(ic_trainer_run(first.trainer));
    char *flags = flags_of(first.model);
    ic_options *options = options_of(first.context, flags);
    ic_model *model;
    ic_trainer *trainer;
    assert_ok(ic_model_create(first.context, first.data, options, &model));
    assert_ok(ic_trainer_create(model, first.data, NULL, options, &trainer));
    assert_ok(ic_trainer_run(trainer));
    assert_same_model(first.model, model);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_options_free(options);
    free(flags);
    training_end(&first);
}

static void flags_repeat_a_training(void **state)
{
    (void)state;
    repeats(unusual);
    repeats(given);
    repeats(chosen);
}

/* The flags of a model with this record, which may be anybody's file, end so. */
static void flags_end(const char *record, const char *ending)
{
    training made = training_begin(1, given);
    json_t *json = json_loads(record, 0, NULL);
    assert_non_null(json);
    ic_model_publish(made.model, ic_model_weights(made.model), json);
    char *flags = flags_of(made.model);
    assert_true(strlen(flags) > strlen(ending));
    assert_string_equal(flags + strlen(flags) - strlen(ending), ending);
    free(flags);
    training_end(&made);
}

static void texts_are_quoted(void **state)
{
    (void)state;
    flags_end("{\"options\":{\"epochs\":3},\"data\":{\"group\":\"name:(o'brien*)_*\"}}",
              " --epochs 3 --group 'name:(o'\\''brien*)_*'");
    flags_end("{\"options\":{\"rates\":\"x'; touch owned; '\", \"seed; touch owned\":1}}",
              " --rates 'x'\\''; touch owned; '\\''' --group none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_repeat_a_training),
                                       cmocka_unit_test(texts_are_quoted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
