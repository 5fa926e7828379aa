/* serialize/test_tensor_floats.c: elements of every type as float32. SPDX-License-Identifier: MIT
 */
#include "support/support.h"

#include "serialize/safetensors.h"

#include <math.h>
#include <string.h>

static ic_tensor_entry entry_of(ic_dtype dtype, const void *data, int64_t count)
{
    return (ic_tensor_entry){
        .name = "t", .dtype = dtype, .rank = 1, .shape = {count}, .count = count, .data = data};
}

/* The value of a binary16 by its definition, in double arithmetic. */
static double half_value(uint16_t half)
{
    int exponent = (half >> 10) & 31;
    double fraction = half & 1023;
    double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return half >> 15 ? -magnitude : magnitude;
}

static void test_every_half(void **state)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t half = (uint16_t)bits;
        float value = 0.5f;
        ic_tensor_entry tensor = entry_of(IC_F16, (const unsigned char *)&half, 1);
        if ((half >> 10 & 31) == 31) {
            assert_fails(IC_ERROR_FORMAT, "element 0 is not a finite",
                         ic_tensor_floats(&tensor, &value));
            continue;
        }
        assert_ok(ic_tensor_floats(&tensor, &value));
        assert_true((double)value == half_value(half));
        assert_int_equal(signbit(value) != 0, half >> 15);
    }
}

static void test_every_bfloat(void **state)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t brain = (uint16_t)bits;
        uint32_t whole = bits << 16;
        float value, wanted;
        ic_tensor_entry tensor = entry_of(IC_BF16, (const unsigned char *)&brain, 1);
        memcpy(&wanted, &whole, sizeof wanted);
        if ((bits >> 7 & 255) == 255) {
            assert_fails(IC_ERROR_FORMAT, "not a finite", ic_tensor_floats(&tensor, &value));
            continue;
        }
        assert_ok(ic_tensor_floats(&tensor, &value));
        assert_memory_equal(&value, &wanted, sizeof value);
    }
}

static void test_doubles_round(void **state)
{
    const double given[] = {0.1, -1.0 / 3, 3.5e38, 1e-46, 1e300};
    float values[5];
    ic_tensor_entry tensor = entry_of(IC_F64, given, 2);
    assert_ok(ic_tensor_floats(&tensor, values));
    assert_true(values[0] == 0.1f && values[1] == (float)(-1.0 / 3));
    tensor = entry_of(IC_F64, given + 3, 1);
    assert_ok(ic_tensor_floats(&tensor, values));
    assert_true(values[0] == 0);
    tensor = entry_of(IC_F64, given + 3, 2); /* too large for float32 */
    assert_fails(IC_ERROR_FORMAT, "tensor t: element 1 is not a finite float32",
                 ic_tensor_floats(&tensor, values));
    tensor = entry_of(IC_F64, given + 2, 1);
    assert_fails(IC_ERROR_FORMAT, "element 0", ic_tensor_floats(&tensor, values));
}

static void test_singles_from_any_address(void **state)
{
    const float given[] = {0, -0.0f, 1.5f, 3.4028235e38f, 1e-45f};
    unsigned char bytes[sizeof given + 1];
    float values[5];
    memcpy(bytes + 1, given, sizeof given);
    ic_tensor_entry tensor = entry_of(IC_F32, bytes + 1, 5);
    assert_ok(ic_tensor_floats(&tensor, values));
    assert_memory_equal(values, given, sizeof given);
    const float bad[] = {1, NAN, INFINITY};
    tensor = entry_of(IC_F32, bad, 3);
    assert_fails(IC_ERROR_FORMAT, "element 1", ic_tensor_floats(&tensor, values));
    tensor = entry_of(IC_F32, bad + 2, 1);
    assert_fails(IC_ERROR_FORMAT, "element 0", ic_tensor_floats(&tensor, values));
}

static void test_whole_numbers_are_not_weights(void **state)
{
    const int64_t steps = 12;
    float value;
    const ic_dtype types[] = {IC_I64, IC_I32, IC_U8};
    for (int i = 0; i < 3; i++) {
        ic_tensor_entry tensor = entry_of(types[i], &steps, 1);
        assert_fails(IC_ERROR_FORMAT, ic_dtype_name(types[i]), ic_tensor_floats(&tensor, &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_every_bfloat),
        cmocka_unit_test(test_doubles_round),
        cmocka_unit_test(test_singles_from_any_address),
        cmocka_unit_test(test_whole_numbers_are_not_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
