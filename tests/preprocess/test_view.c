/* preprocess/test_view.c: prepared pictures, mirrored and shifted. SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "preprocess/pipeline.h"

#include <string.h>

/* Mirrored and shifted by hand: a picture of 4 x 3 pixels; two channels, the second negative. */
static void test_by_hand(void **state)
{
    static const struct {
        ic_view view;
        float expected[12];
    } cases[] = {
        {{false, 0}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
        {{true, 0}, {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9}},
        {{false, -1}, {6, 5, 6, 7, 2, 1, 2, 3, 6, 5, 6, 7}},
        {{true, -1}, {7, 6, 5, 6, 3, 2, 1, 2, 7, 6, 5, 6}},
        {{false, 1}, {6, 7, 8, 7, 10, 11, 12, 11, 6, 7, 8, 7}},
        {{true, 1}, {7, 8, 7, 6, 11, 12, 11, 10, 7, 8, 7, 6}},
        {{false, 2}, {11, 12, 11, 10, 7, 8, 7, 6, 3, 4, 3, 2}},
    };
    float tensor[24], out[25];
    (void)state;
    for (int i = 0; i < 12; i++) {
        tensor[2 * i] = (float)(i + 1);
        tensor[2 * i + 1] = -(float)(i + 1);
    }
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        out[24] = 77;
        ic_tensor_view(4, 3, 2, tensor, &cases[c].view, out);
        for (int i = 0; i < 12; i++) {
            assert_true(out[2 * i] == cases[c].expected[i]);
            assert_true(out[2 * i + 1] == -cases[c].expected[i]);
        }
        assert_true(out[24] == 77);
    }
}

/* One row or one column is all there is to reflect. */
static void test_thin_pictures(void **state)
{
    const ic_view view = {true, 1};
    const float tensor[3] = {1, 2, 3};
    float out[3];
    (void)state;
    ic_tensor_view(3, 1, 1, tensor, &view, out);
    assert_true(out[0] == 2 && out[1] == 3 && out[2] == 2);
    ic_tensor_view(1, 3, 1, tensor, &view, out);
    assert_true(out[0] == 2 && out[1] == 3 && out[2] == 2);
    ic_tensor_view(1, 1, 3, tensor, &view, out);
    assert_memory_equal(out, tensor, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_thin_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
