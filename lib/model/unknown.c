/* model/unknown.c: how unlike the training pictures a picture is. SPDX-License-Identifier: MIT */
#include "model/unknown.h"

#include "base/maths.h"
#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the texture in files are whole ones of these. */
static const double unit = 1e-5;
enum { UNITS_MAX = 100000000 };

/* Correlations are shrunk towards none by this share, so that few pictures will do. */
static const double shrinkage = 0.1;

/* What a number of the texture, and a sign, vary by at least. */
static const double least_deviation = 0.1, least_spread = 0.01;

static const double sign_weights[IC_SIGNS] = {1, 0.5, 0.5};

static double rounded(double x)
{
    return floor(x / unit + 0.5) * unit;
}

/* ---- The texture of the training pictures ---- */

static void fit_marginals(ic_unknown *u, const double *textures, int64_t pictures)
{
    for (int32_t i = 0; i < u->count; i++) {
        double sum = 0, squares = 0;
        for (int64_t p = 0; p < pictures; p++)
            sum += textures[p * u->count + i];
        u->mean[i] = rounded(sum / (double)pictures);
        for (int64_t p = 0; p < pictures; p++) {
            double x = textures[p * u->count + i] - u->mean[i];
            squares += x * x;
        }
        double deviation = rounded(sqrt(squares / (double)pictures));
        u->deviation[i] = deviation > least_deviation ? deviation : least_deviation;
    }
}

static void fit_correlations(ic_unknown *u, const double *textures, int64_t pictures)
{
    double *row = u->factor;
    for (int32_t i = 0; i < u->count; row += ++i)
        for (int32_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t p = 0; p < pictures; p++) {
                const double *x = textures + p * u->count;
                sum += (x[i] - u->mean[i]) * (x[j] - u->mean[j]);
            }
            sum /= (double)pictures * u->deviation[i] * u->deviation[j];
            row[j] = (1 - shrinkage) * sum + (i == j ? shrinkage : 0);
        }
}

/* In place: C = L L'. */
static void factorise(ic_unknown *u)
{
    double *row = u->factor;
    for (int32_t i = 0; i < u->count; row += ++i) {
        const double *above = u->factor;
        for (int32_t j = 0; j <= i; above += ++j) {
            double sum = row[j];
            for (int32_t k = 0; k < j; k++)
                sum -= row[k] * above[k];
            row[j] = j < i ? sum / above[j] : sqrt(sum);
        }
    }
    for (int32_t i = 0; i < u->count * (u->count + 1) / 2; i++)
        u->factor[i] = rounded(u->factor[i]);
}

void ic_unknown_fit(ic_unknown *out, const double *textures, int64_t pictures)
{
    fit_marginals(out, textures, pictures);
    fit_correlations(out, textures, pictures);
    factorise(out);
}

/* ---- The signs of a picture ---- */

static double response(const float *taps, const ic_taps *shape)
{
    double sum = 0;
    for (int32_t t = 0; t < shape->count; t++) {
        double mean = 0;
        for (int32_t c = 0; c < shape->channels[t]; c++, taps++)
            mean += *taps > 0 ? (double)*taps : 0;
        sum += ic_ln(mean / shape->channels[t] + 1e-6);
    }
    return sum / shape->count;
}

/* |u|^2 with L u = the texture in deviations from its mean. */
static double distance(const ic_unknown *u, const double *texture)
{
    double solved[IC_TEXTURE_MAX], sum = 0;
    const double *row = u->factor;
    for (int32_t i = 0; i < u->count; row += ++i) {
        double x = (texture[i] - u->mean[i]) / u->deviation[i];
        for (int32_t k = 0; k < i; k++)
            x -= row[k] * solved[k];
        solved[i] = x / row[i];
        sum += solved[i] * solved[i];
    }
    return sum;
}

static double energy(const float *logits, int32_t classes)
{
    double most = (double)logits[0], sum = 0;
    for (int32_t i = 1; i < classes; i++)
        most = (double)logits[i] > most ? (double)logits[i] : most;
    for (int32_t i = 0; i < classes; i++)
        sum += ic_exp((double)logits[i] - most);
    return -(most + ic_ln(sum));
}

/* Activations may overflow where the logits do not: then nothing responds more. */
static double finite_or_least(double x)
{
    return x > -1e3 && x < 1e9 ? x : -1e3;
}

void ic_unknown_signs(const ic_unknown *unknown, const double *texture, const float *outputs,
                      int32_t classes, const ic_taps *taps, double signs[IC_SIGNS])
{
    signs[0] = finite_or_least(-response(outputs + classes, taps));
    signs[1] = ic_ln(distance(unknown, texture) + 1e-9);
    signs[2] = energy(outputs, classes);
}

/* ---- The score ---- */

double ic_unknown_score(const ic_unknown *unknown, const double signs[IC_SIGNS])
{
    double sum = 0;
    for (int32_t i = 0; i < IC_SIGNS; i++) {
        double z = (signs[i] - unknown->centre[i]) / unknown->spread[i];
        sum += sign_weights[i] * (z > -1 ? z : -1);
    }
    return sum;
}

static void fit_sign(ic_unknown *u, int32_t sign, const double (*signs)[IC_SIGNS], int64_t pictures)
{
    double sum = 0, squares = 0;
    for (int64_t p = 0; p < pictures; p++)
        sum += signs[p][sign];
    u->centre[sign] = sum / (double)pictures;
    for (int64_t p = 0; p < pictures; p++) {
        double x = signs[p][sign] - u->centre[sign];
        squares += x * x;
    }
    double spread = sqrt(squares / (double)pictures);
    u->spread[sign] = spread > least_spread ? spread : least_spread;
}

/* The threshold is the quantile of the scores, between two of them where it falls there. */
void ic_unknown_calibrate(ic_unknown *unknown, const double (*signs)[IC_SIGNS], int64_t pictures,
                          double share, double *scores)
{
    for (int32_t i = 0; i < IC_SIGNS; i++)
        fit_sign(unknown, i, signs, pictures);
    for (int64_t p = 0; p < pictures; p++)
        scores[p] = ic_unknown_score(unknown, signs[p]);
    qsort(scores, (size_t)pictures, sizeof *scores, ic_compare_doubles);
    unknown->share = share;
    unknown->threshold = ic_quantile(scores, pictures, 1 - share);
}

/* ---- As JSON ---- */

/* The arrays of an ic_unknown: of the texture in units, of the signs as they are. */
typedef struct field {
    const char *name;
    size_t offset;
    int32_t count;
    bool positive, whole;
} field;

enum { FIELDS = 7 };

static void list_fields(int32_t count, field out[FIELDS])
{
    const field fields[FIELDS] = {
        {"mean", offsetof(ic_unknown, mean), count, false, true},
        {"deviation", offsetof(ic_unknown, deviation), count, true, true},
        {"factor", offsetof(ic_unknown, factor), count * (count + 1) / 2, false, true},
        {"centre", offsetof(ic_unknown, centre), IC_SIGNS, false, false},
        {"spread", offsetof(ic_unknown, spread), IC_SIGNS, true, false},
        {"share", offsetof(ic_unknown, share), 1, false, false},
        {"threshold", offsetof(ic_unknown, threshold), 1, false, false},
    };
    memcpy(out, fields, sizeof fields);
}

ic_status ic_unknown_to_json(const ic_unknown *unknown, json_t **out)
{
    field fields[FIELDS];
    json_t *json = json_object();
    ic_status status = IC_OK;
    list_fields(unknown->count, fields);
    for (int32_t f = 0; f < FIELDS; f++) {
        const double *values =
            (const double *)(const void *)((const char *)unknown + fields[f].offset);
        json_t *array = json_array();
        IC_TRY_CLEAN(ic_json_set(json, fields[f].name, array));
        for (int32_t i = 0; i < fields[f].count; i++)
            IC_TRY_CLEAN(ic_json_append(
                array, fields[f].whole ? json_integer((json_int_t)floor(values[i] / unit + 0.5))
                                       : json_real(values[i])));
    }
    *out = json;
    return IC_OK;
cleanup:
    json_decref(json);
    return status;
}

static bool read_number(const json_t *value, const field *f, double *out)
{
    if (f->whole ? !json_is_integer(value) : !json_is_number(value))
        return false;
    double number = json_number_value(value);
    if (!(fabs(number) <= (f->whole ? UNITS_MAX : FLT_MAX)) || (f->positive && !(number > 0)))
        return false;
    *out = f->whole ? number * unit : number;
    return true;
}

ic_status ic_unknown_from_json(const json_t *json, int32_t count, ic_unknown *out)
{
    field fields[FIELDS];
    ic_unknown read = {.count = count};
    list_fields(count, fields);
    for (int32_t f = 0; f < FIELDS; f++) {
        double *values = (double *)(void *)((char *)&read + fields[f].offset);
        const json_t *array = json_object_get(json, fields[f].name);
        bool good = json_is_array(array) && json_array_size(array) == (size_t)fields[f].count;
        for (int32_t i = 0; good && i < fields[f].count; i++)
            good = read_number(json_array_get(array, (size_t)i), &fields[f], &values[i]);
        if (!good)
            return ic_fail(IC_ERROR_FORMAT, "unknown: \"%s\" is not %d numbers that make sense",
                           fields[f].name, (int)fields[f].count);
    }
    for (int32_t i = 0, at = 0; i < count; at += ++i + 1)
        if (!(read.factor[at] > 0))
            return ic_fail(IC_ERROR_FORMAT, "unknown: the factor is not positive on its diagonal");
    *out = read;
    return IC_OK;
}
