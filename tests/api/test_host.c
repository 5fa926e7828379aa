/*
 * test_host.c: what the library must leave alone in the program that loads it: floating-point mode,
 * locale, signal handlers, output. Loads the shared library with dlopen, as a plug-in would.
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <imgcls/imgcls.h>

#include <dlfcn.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static unsigned float_mode(void)
{
#if defined(__x86_64__)
    return _mm_getcsr() & ~0x3fu; /* without the sticky exception flags */
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return (unsigned)mode;
#else
    return 0;
#endif
}

static void *library;

#define FIND(name) ((__typeof__(&name))dlsym(library, #name))

static int load(void **state)
{
    (void)state;
    library = dlopen(getenv("IMGCLS_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
    return library == NULL ? -1 : 0;
}

static void leaves_float_mode_alone(void **state)
{
    (void)state;
    unsigned before = float_mode();
    void *again = dlopen(getenv("IMGCLS_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(again);
    ic_context *context = NULL;
    assert_int_equal(FIND(ic_context_create)(&context), IC_OK);
    FIND(ic_context_free)(context);
    assert_int_equal(float_mode(), before);
    volatile float tiny = 1e-40f;
    assert_true(tiny / 2 > 0); /* denormals still are */
    dlclose(again);
}

static void reads_numbers_in_any_locale(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        print_message("the locale de_DE.UTF-8 is missing: skipped\n");
        skip();
    }
    ic_context *context = NULL;
    ic_options *options = NULL;
    assert_int_equal(FIND(ic_context_create)(&context), IC_OK);
    assert_int_equal(FIND(ic_options_create)(context, &options), IC_OK);
    assert_int_equal(FIND(ic_options_set_text)(options, "learning_rate", "0.25"), IC_OK);
    assert_int_equal(FIND(ic_options_set_text)(options, "learning_rate", "0,25"), IC_ERROR_OPTION);
    assert_string_equal(setlocale(LC_ALL, NULL), "de_DE.UTF-8");
    FIND(ic_options_free)(options);
    FIND(ic_context_free)(context);
    setlocale(LC_ALL, "C");
}

static void leaves_signals_alone(void **state)
{
    (void)state;
    ic_context *context = NULL;
    assert_int_equal(FIND(ic_context_create)(&context), IC_OK);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0)
            assert_true(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN ||
                        number == SIGSEGV || number == SIGFPE || number == SIGILL ||
                        number == SIGBUS || number == SIGSYS); /* cmocka's own */
    }
    FIND(ic_context_free)(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_float_mode_alone),
        cmocka_unit_test(reads_numbers_in_any_locale),
        cmocka_unit_test(leaves_signals_alone),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
