/* report/html_pictures.c: the pictures of the page. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/options.h"
#include "base/pool.h"
#include "base/status.h"
#include "model/explain.h"
#include "recipe/cost.h"
#include "report/html.h"
#include "report/thumbnail.h"

#include <string.h>

enum {
    SIDE = 96,
    QUALITY = 75,
    WORST_SIDE = 176,
    PIXELATED = 64 /* sides below it are enlarged */
};
enum { WORST = 12, DOUBTS = 24, PAIR_MOST = 24 /* of one pair of classes */, PICTURES_MOST = 1200 };
enum { BYTES_MOST = 1600000 /* of the JPEGs of mistakes */, NAMES_MOST = 60, OPEN_PAIRS = 3 };
enum { PART = 16 /* pictures between two looks at the clock */ };

/* What explaining one picture after the other may take on the machine of recipe/cost.h, seconds. */
static const double patience = 5;

/* A picture of the report, small. */
typedef struct thumb {
    int64_t row;
    ic_buffer jpeg; /* empty: the picture cannot be read any more */
    bool coarse;
} thumb;

static int64_t at_most(int64_t count, int64_t limit)
{
    return count < limit ? count : limit;
}

/* ---- Making them ---- */

typedef struct thumb_work {
    const ic_page *page;
    thumb *thumbs;
} thumb_work;

static ic_status encode(ic_image *image, int32_t side, thumb *out)
{
    ic_image *small;
    IC_TRY(ic_image_thumbnail(image, side, &small));
    out->coarse = small->width < PIXELATED && small->height < PIXELATED;
    ic_status status = ic_jpeg_encode(small, QUALITY, &out->jpeg);
    ic_image_free(small);
    return status;
}

/* A picture that has gone since it was measured leaves a gap; only a lack of memory is an error. */
static ic_status make_small(const ic_page *page, int32_t side, thumb *out)
{
    const ic_report *report = page->report;
    ic_image *image = NULL;
    out->jpeg.context = report->context;
    ic_status status = ic_dataset_thumbnail(report->dataset, report->items[out->row], side, &image);
    if (status >= 0)
        status = encode(image, side, out);
    ic_image_free(image);
    return status == IC_ERROR_MEMORY ? status : IC_OK;
}

static ic_status make_thumb(void *arguments, int64_t unit, int32_t worker)
{
    const thumb_work *work = arguments;
    (void)worker;
    return make_small(work->page, SIDE, &work->thumbs[unit]);
}

static ic_status step(ic_page *page, int64_t done)
{
    page->done += done;
    return ic_progress_step(page->context, "report", page->done, page->total, page->started,
                            &page->told);
}

static ic_status make_thumbs(ic_page *page, thumb *thumbs, int64_t count)
{
    ic_pool *pool;
    IC_TRY(ic_context_pool(page->context, &pool));
    for (int64_t first = 0; first < count; first += PART) {
        thumb_work work = {page, thumbs + first};
        const int64_t part = count - first < PART ? count - first : PART;
        IC_TRY(ic_pool_run(pool, part, make_thumb, &work));
        IC_TRY(step(page, part));
    }
    return IC_OK;
}

static void free_thumbs(ic_page *page, thumb *thumbs, int64_t count)
{
    for (int64_t i = 0; i < count && thumbs != NULL; i++)
        ic_buffer_free(&thumbs[i].jpeg);
    ic_free(page->context, thumbs);
}

/* ---- Showing them ---- */

static void put_image(ic_page *page, const thumb *t, const char *before, const char *name)
{
    if (t->jpeg.size == 0) {
        ic_page_put(page, "<span>cannot be read any more</span>");
        return;
    }
    ic_page_put(page, "<img%r alt=\"%r%s\" src=\"data:image/jpeg;base64,",
                t->coarse ? " class=\"s\"" : "", before, name);
    ic_page_bytes(page, &t->jpeg);
    ic_page_put(page, "\">");
}

static double probability_of(const ic_page *page, int64_t row)
{
    const ic_scores *scores = &page->report->scores;
    return (double)scores->probabilities[row * scores->classes + ic_scores_predicted(scores, row)];
}

/* ---- Labels in doubt ---- */

static ic_status put_doubts(ic_page *page, int64_t count)
{
    const ic_report *report = page->report;
    thumb *thumbs;
    ic_status status;
    const int64_t shown = at_most(count, DOUBTS);
    IC_TRY(ic_allocate_zero(page->context, (size_t)shown * sizeof *thumbs, &thumbs));
    for (int64_t i = 0; i < shown; i++)
        thumbs[i].row = report->doubts[i].row;
    IC_TRY_CLEAN(make_thumbs(page, thumbs, shown));
    ic_page_section(page, "doubts", "Labels that are likely wrong");
    ic_page_put(page,
                "<p>%l labels are in doubt%r. Look at them; move those that are wrong to their "
                "class, and train again.</p>\n<div class=\"pics\">\n",
                count, count > shown ? "; the surest are shown" : "");
    for (int64_t i = 0; i < shown; i++) {
        const char *file = ic_page_file(page, thumbs[i].row);
        ic_page_put(page, "<figure>");
        put_image(page, &thumbs[i], "", file);
        ic_page_put(page,
                    "<figcaption>filed under %n, looks like <b><bdi>%s</bdi></b> (by %p %%)"
                    "<br>%n</figcaption></figure>\n",
                    ic_report_label(report, thumbs[i].row),
                    ic_page_class(page, report->doubts[i].suggested), report->doubts[i].margin,
                    file);
    }
    ic_page_put(page, "</div></section>\n");
    status = page->status;
cleanup:
    free_thumbs(page, thumbs, shown);
    return status;
}

/* ---- The worst mistakes ---- */

/* The rows of the surest mistakes, the surest first; of equally sure ones the earlier. */
static int32_t find_worst(const ic_page *page, int64_t worst[WORST])
{
    int32_t count = 0;
    for (int64_t i = 0; i < page->album.mistake_count; i++) {
        const int64_t row = page->album.mistakes[i];
        const double p = probability_of(page, row);
        int32_t at = count < WORST ? count++ : WORST;
        for (; at > 0; at--) {
            const double q = probability_of(page, worst[at - 1]);
            if (q > p || (q == p && worst[at - 1] < row))
                break;
            if (at < WORST)
                worst[at] = worst[at - 1];
        }
        if (at < WORST)
            worst[at] = row;
    }
    return count;
}

/* Occlusion, unless that would take too long. */
static ic_status choose_method(const ic_page *page, int32_t count, ic_options **out)
{
    const ic_model *model = page->report->model;
    const char *method = page->method;
    const double seconds =
        ic_recipe_seconds(model->network, model->pipeline.width, model->pipeline.height) / 3;
    if (strcmp(method, "auto") == 0)
        method = IC_OCCLUSION_PREDICTIONS * count * seconds > patience ? "gradcam" : "occlusion";
    IC_TRY(ic_options_create(page->context, out));
    return ic_options_set_text(*out, "method", method);
}

/* Where in the picture the model found its answer. */
static ic_status make_heat(const ic_page *page, ic_options *options, thumb *heat)
{
    const ic_report *report = page->report;
    const int32_t answer = ic_scores_predicted(&report->scores, heat->row);
    ic_image *image, *drawn = NULL;
    ic_explanation *explanation = NULL;
    heat->jpeg.context = page->context;
    ic_status status =
        ic_model_read_image(report->model, report->dataset, report->items[heat->row], &image);
    if (status < 0) /* gone meanwhile */
        return status == IC_ERROR_MEMORY ? status : IC_OK;
    IC_TRY_CLEAN(ic_options_set_text(options, "class", ic_report_class_name(report, answer)));
    IC_TRY_CLEAN(ic_explain(report->model, image, options, &explanation));
    IC_TRY_CLEAN(ic_explanation_image(explanation, &drawn));
    IC_TRY_CLEAN(encode(drawn, WORST_SIDE, heat));
cleanup:
    ic_image_free(drawn);
    ic_explanation_free(explanation);
    ic_image_free(image);
    return status;
}

/* heat stays empty for models of a cross-validation, which are gone. */
static ic_status make_worst(const ic_page *page, ic_options *options, thumb *picture, thumb *heat)
{
    IC_TRY(make_small(page, WORST_SIDE, picture));
    heat->row = picture->row;
    return page->report->fold_count > 0 ? IC_OK : make_heat(page, options, heat);
}

static void put_worst_one(ic_page *page, const thumb *picture, const thumb *heat)
{
    const ic_report *report = page->report;
    const char *predicted = ic_page_class(page, ic_scores_predicted(&report->scores, picture->row));
    const char *file = ic_page_file(page, picture->row);
    ic_page_put(page, "<figure><span>");
    put_image(page, picture, "", file);
    if (heat->jpeg.size > 0)
        put_image(page, heat, "What speaks for it, as heat over the picture: ", predicted);
    ic_page_put(page,
                "</span><figcaption><b><bdi>%s</bdi></b> %p %%, but it is <b><bdi>%s</bdi></b>"
                "<br>%n</figcaption></figure>\n",
                predicted, probability_of(page, picture->row),
                ic_report_label(report, picture->row), file);
}

static ic_status put_worst(ic_page *page, const int64_t *worst, int32_t count)
{
    thumb picture = {0}, heat = {0};
    ic_options *options = NULL;
    ic_status status;
    IC_TRY_CLEAN(choose_method(page, count, &options));
    ic_page_section(page, "worst", "The worst mistakes");
    ic_page_put(page, "<p>What the model was surest of and had wrong. %r\">\n",
                page->report->fold_count > 0
                    ? "</p>\n<div class=\"pics"
                    : "Beside each picture: what in it speaks for the answer, the lighter the "
                      "more.</p>\n<div class=\"pics wide");
    for (int32_t i = 0; i < count; i++) {
        picture.row = worst[i];
        IC_TRY_CLEAN(make_worst(page, options, &picture, &heat));
        put_worst_one(page, &picture, &heat);
        IC_TRY_CLEAN(step(page, 1));
        picture.jpeg.size = heat.jpeg.size = 0;
    }
    ic_page_put(page, "</div></section>\n");
    status = page->status;
cleanup:
    ic_buffer_free(&picture.jpeg);
    ic_buffer_free(&heat.jpeg);
    ic_options_free(options);
    return status;
}

/* ---- All mistakes, pair by pair ---- */

/* How many pictures are shown when each pair shows at most so many. */
static int64_t shown_with(const ic_album *album, int64_t limit)
{
    int64_t sum = 0;
    for (size_t i = 0; i < album->linked; i++)
        sum += at_most(album->pairs[i].count, limit);
    return sum;
}

/* The same for bytes; thumbs are those of a larger limit, `made`. */
static size_t bytes_with(const ic_album *album, const thumb *thumbs, int64_t made, int64_t limit)
{
    size_t sum = 0;
    for (size_t i = 0; i < album->linked; i++) {
        const int64_t count = at_most(album->pairs[i].count, made);
        for (int64_t k = 0; k < at_most(count, limit); k++)
            sum += thumbs[k].jpeg.size;
        thumbs += count;
    }
    return sum;
}

static void put_names(ic_page *page, const int64_t *rows, int64_t count)
{
    if (count == 0)
        return;
    ic_page_put(page, "<details><summary>%l more</summary><ul>\n", count);
    for (int64_t i = 0; i < at_most(count, NAMES_MOST); i++)
        ic_page_put(page, "<li>%s</li>\n", ic_page_file(page, rows[i]));
    if (count > NAMES_MOST)
        ic_page_put(page, "<li>and %l more, which the JSON lists</li>\n", count - NAMES_MOST);
    ic_page_put(page, "</ul></details>\n");
}

static void put_pair(ic_page *page, const ic_confused *pair, bool hidden, const thumb *thumbs,
                     int64_t shown)
{
    const int64_t *rows = page->album.mistakes + pair->first;
    ic_page_put(page, "<div id=\"c%d-%d\"%r>\n<h3>%n taken for %n: %l</h3>\n<div class=\"pics\">\n",
                (int)pair->actual, (int)pair->predicted, hidden ? " class=\"hide\"" : "",
                ic_page_class(page, pair->actual), ic_page_class(page, pair->predicted),
                pair->count);
    for (int64_t i = 0; i < shown; i++) {
        const char *file = ic_page_file(page, rows[i]);
        ic_page_put(page, "<figure>");
        put_image(page, &thumbs[i], "", file);
        ic_page_put(page, "<figcaption>%p %%<br>%s</figcaption></figure>\n",
                    probability_of(page, rows[i]), file);
    }
    ic_page_put(page, "</div>\n");
    put_names(page, rows + shown, pair->count - shown);
    ic_page_put(page, "<p class=\"up\"><a href=\"#confusion\">Back to the table</a></p></div>\n");
}

/* thumbs: for each pair as many as `made` allows. */
static void put_pairs(ic_page *page, const thumb *thumbs, int64_t made)
{
    const ic_album *album = &page->album;
    int64_t limit = made;
    while (limit > 0 && bytes_with(album, thumbs, made, limit) > BYTES_MOST)
        limit--;
    ic_page_section(page, "all", "Mistakes to look at");
    ic_page_put(page, "<p>The surest first, with the probability of the wrong answer.");
    if (album->linked > OPEN_PAIRS)
        ic_page_put(page,
                    " Here are the most frequent ones; the numbers of the table above open the "
                    "others, or <a href=\"#all\">show all of them</a>.");
    ic_page_put(page, "</p>\n");
    for (size_t i = 0; i < album->linked; i++) {
        const int64_t count = album->pairs[i].count;
        put_pair(page, &album->pairs[i], i >= OPEN_PAIRS, thumbs, at_most(count, limit));
        thumbs += at_most(count, made);
    }
    ic_page_put(page, "</section>\n");
}

ic_status ic_page_pictures(ic_page *page)
{
    const ic_album *album = &page->album;
    int64_t worst[WORST], made = PAIR_MOST, at = 0;
    thumb *thumbs = NULL;
    const int32_t worst_count = find_worst(page, worst);
    while (made > 1 && shown_with(album, made) > PICTURES_MOST)
        made--;
    const int64_t count = shown_with(album, made);
    int64_t doubts = 0;
    if (page->report->fold_count > 0)
        IC_TRY(ic_report_label_error_count(page->report, &doubts));
    page->total = count + worst_count + at_most(doubts, DOUBTS);
    if (doubts > 0)
        IC_TRY(put_doubts(page, doubts));
    if (worst_count == 0)
        return page->status;
    IC_TRY(put_worst(page, worst, worst_count));
    IC_TRY(ic_allocate_zero(page->context, (size_t)count * sizeof *thumbs, &thumbs));
    for (size_t i = 0; i < album->linked; i++)
        for (int64_t k = 0; k < at_most(album->pairs[i].count, made); k++)
            thumbs[at++].row = album->mistakes[album->pairs[i].first + k];
    ic_status status = make_thumbs(page, thumbs, count);
    if (status >= 0)
        put_pairs(page, thumbs, made);
    free_thumbs(page, thumbs, count);
    return status < 0 ? status : page->status;
}
