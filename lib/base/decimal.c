/*
 * base/decimal.c: numbers from and to decimal text, exactly rounded, without the host's locale
 * (strtod and %f follow it). Long integers of 32-bit words carry the exact value.
 * SPDX-License-Identifier: MIT
 */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * A double needs at most 767 significant digits to be told from its neighbours' midpoint; with the
 * smallest exponent that is 10^1100, 3,700 bits, and 64 more to round from.
 */
enum { DIGITS_MAX = 770, WORDS = 136, EXPONENT_MAX = 100000 };

enum { FRACTION_MAX = 20 }; /* digits after the point that are written */

typedef struct big {
    uint32_t words[WORDS]; /* least significant first */
    int count;
} big;

static void big_multiply_add(big *number, uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;
    for (int i = 0; i < number->count; i++) {
        carry += (uint64_t)number->words[i] * factor;
        number->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        number->words[number->count++] = (uint32_t)carry;
}

/* Divides and returns the remainder. */
static uint32_t big_divide(big *number, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = number->count - 1; i >= 0; i--) {
        rest = rest << 32 | number->words[i];
        number->words[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    while (number->count > 0 && number->words[number->count - 1] == 0)
        number->count--;
    return (uint32_t)rest;
}

static int big_bits(const big *number)
{
    if (number->count == 0)
        return 0;
    int bits = 32 * (number->count - 1);
    for (uint32_t top = number->words[number->count - 1]; top != 0; top >>= 1)
        bits++;
    return bits;
}

static void big_shift_left(big *number, int bits)
{
    int whole = bits / 32;
    if (number->count == 0)
        return;
    big_multiply_add(number, (uint32_t)1 << bits % 32, 0);
    memmove(number->words + whole, number->words, (size_t)number->count * sizeof(uint32_t));
    memset(number->words, 0, (size_t)whole * sizeof(uint32_t));
    number->count += whole;
}

static bool big_bit(const big *number, int bit)
{
    return bit / 32 < number->count && (number->words[bit / 32] >> bit % 32 & 1) != 0;
}

/* Rounds number * 2^exponent to the nearest double, ties to even; `rest`: a bit more than that. */
static double big_round(const big *number, int exponent, bool rest)
{
    int bits = big_bits(number);
    int drop = bits - 53;
    if (exponent + drop < -1074)
        drop = -1074 - exponent; /* a subnormal number has fewer bits */
    if (drop > bits + 1)
        return 0;
    uint64_t mantissa = 0;
    for (int i = bits - 1; i >= drop && i >= 0; i--)
        mantissa = mantissa << 1 | big_bit(number, i);
    if (drop < 0)
        return ldexp((double)mantissa, exponent);
    if (drop > 0 && big_bit(number, drop - 1)) {
        bool above_half = rest || (mantissa & 1) != 0;
        for (int i = 0; i < drop - 1 && !above_half; i++)
            above_half = big_bit(number, i);
        mantissa += above_half;
    }
    return ldexp((double)mantissa, exponent + drop);
}

/* digits * 10^exponent as the nearest double; infinite when too large. */
static double scale_decimal(big *digits, int exponent)
{
    bool rest = false;
    int shift = 0;
    if (exponent < 0) {
        /* Enough bits that 64 of them are left after the divisions by ten (3.33 bits each). */
        shift = 64 + (int)(-exponent * 3.33) - big_bits(digits);
        shift = shift > 0 ? shift : 0;
        big_shift_left(digits, shift);
        for (; exponent < 0; exponent++)
            rest |= big_divide(digits, 10) != 0;
    }
    for (; exponent > 0; exponent--)
        big_multiply_add(digits, 10, 0);
    return big_round(digits, -shift, rest);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The e±N of a number; moves *text behind it. Huge exponents stop growing. */
static bool parse_exponent(const char **text, int *exponent)
{
    const char *at = *text + 1;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (!is_digit(*at))
        return false;
    int value = 0;
    for (; is_digit(*at); at++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (*at - '0');
    *exponent += negative ? -value : value;
    *text = at;
    return true;
}

bool ic_parse_float(const char *text, double *out)
{
    big digits = {.count = 0};
    int used = 0, exponent = 0;
    bool negative = *text == '-', any = false, fraction = false;
    if (*text == '-' || *text == '+')
        text++;
    for (; is_digit(*text) || (*text == '.' && !fraction); text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        any = true;
        if (exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX)
            return false;
        exponent -= fraction;
        if (used == DIGITS_MAX) {
            exponent++;
            if (*text != '0')
                digits.words[0] |= 1; /* beyond what can decide; only keeps a tie from being one */
        } else if (used > 0 || *text != '0') {
            big_multiply_add(&digits, 10, (uint32_t)(*text - '0'));
            used++;
        }
    }
    if (!any || ((*text == 'e' || *text == 'E') && !parse_exponent(&text, &exponent)) || *text)
        return false;

    double value = 0;
    if (used > 0 && used + exponent > 310)
        return false;
    if (used > 0 && used + exponent > -330)
        value = scale_decimal(&digits, exponent);
    if (isinf(value))
        return false;
    *out = negative ? -value : value;
    return true;
}

bool ic_parse_int(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    uint64_t value = 0, most = (uint64_t)INT64_MAX + negative;
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (*text != '\0')
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* Rounds |value| * 10^digits to a whole number, ties away from zero. */
static void scale_to_whole(double value, int digits, big *out)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    *out = (big){{(uint32_t)mantissa, (uint32_t)(mantissa >> 32)}, 2};
    for (int i = 0; i < digits; i++)
        big_multiply_add(out, 10, 0);
    if (exponent >= 0) {
        big_shift_left(out, exponent);
        return;
    }
    bool up = big_bit(out, -exponent - 1);
    for (int left = -exponent; left > 0; left -= 16)
        big_divide(out, (uint32_t)1 << (left < 16 ? left : 16));
    if (up) {
        if (out->count == 0)
            *out = (big){{0}, 1};
        big_multiply_add(out, 1, 1);
    }
}

/* "123456789012345678901234567890" as "1.23457e29", `digits` digits after the point. */
static void make_scientific(char *text, int length, int digits)
{
    int kept = digits + 1 < 17 ? digits + 1 : 17;
    bool up = text[kept] >= '5';
    for (int i = kept - 1; i >= 0 && up; i--) {
        up = text[i] == '9';
        text[i] = up ? '0' : (char)(text[i] + 1);
    }
    if (up) { /* 9.99 became 10.0 */
        memmove(text + 1, text, (size_t)kept - 1);
        text[0] = '1';
        length++;
    }
    while (kept > 1 && text[kept - 1] == '0')
        kept--;
    if (kept > 1) {
        memmove(text + 2, text + 1, (size_t)kept - 1);
        text[1] = '.';
        kept++;
    }
    int exponent = length - 1, place = exponent >= 100 ? 100 : 10;
    text[kept++] = 'e';
    for (; place > 0; place /= 10)
        text[kept++] = (char)('0' + exponent / place % 10);
    text[kept] = '\0';
}

const char *ic_text_float(double value, int digits, char buffer[IC_TEXT_FLOAT_MAX])
{
    if (isnan(value) || isinf(value))
        return strcpy(buffer, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    digits = digits < 0 ? 0 : digits > FRACTION_MAX ? FRACTION_MAX : digits;
    bool large = fabs(value) >= 1e20;

    big whole;
    char reversed[320], text[IC_TEXT_FLOAT_MAX + 320];
    int count = 0, length = 0;
    scale_to_whole(fabs(value), large ? 0 : digits, &whole);
    while (whole.count > 0)
        reversed[count++] = (char)('0' + big_divide(&whole, 10));
    if (large) {
        while (count > 0)
            text[length++] = reversed[--count];
        make_scientific(text, length, digits);
    } else {
        while (count <= digits)
            reversed[count++] = '0';
        while (count > digits)
            text[length++] = reversed[--count];
        text[length++] = '.';
        while (count > 0)
            text[length++] = reversed[--count];
        while (text[length - 1] == '0')
            length--;
        if (text[length - 1] == '.')
            length--;
        text[length] = '\0';
    }
    bool minus = value < 0 && strcmp(text, "0") != 0;
    buffer[0] = '-';
    strcpy(buffer + minus, text);
    return buffer;
}

static bool shortest(double value, bool single, char buffer[IC_TEXT_FLOAT_MAX])
{
    double read = 0;
    for (int digits = 0; digits <= FRACTION_MAX; digits++)
        if (ic_parse_float(ic_text_float(value, digits, buffer), &read) &&
            (single ? (double)(float)read : read) == value)
            return true;
    return false;
}

bool ic_text_shortest(double value, char buffer[IC_TEXT_FLOAT_MAX])
{
    return shortest(value, false, buffer);
}

bool ic_text_shortest_float(float value, char buffer[IC_TEXT_FLOAT_MAX])
{
    return shortest((double)value, true, buffer);
}

const char *ic_text_int(int64_t value, char buffer[IC_TEXT_FLOAT_MAX])
{
    snprintf(buffer, IC_TEXT_FLOAT_MAX, "%lld", (long long)value);
    return buffer;
}
