/* cli/curve.c: learning curves as text: dots of braille characters where the locale has them, which
 * are 2 x 4 to a character, else plain letters. SPDX-License-Identifier: MIT */
#include "output.h"
#include "summary.h"

#include <string.h>

enum { ROWS = 5, COLUMNS_MIN = 16, COLUMNS_MAX = 50, LABEL = 7 };
enum { TRAINING = 1, UNSEEN = 2 };

typedef struct canvas {
    unsigned char dots[4 * ROWS][2 * COLUMNS_MAX]; /* TRAINING | UNSEEN */
    int width, height;                             /* in dots */
    int across, down;                              /* dots of a character */
    int columns;
    int best_row, best_column; /* in characters */
    double low, step;          /* shown: low to low + 2 step, in percent */
} canvas;

static double share_of(const cli_epoch *epoch, int which)
{
    return which == TRAINING ? epoch->training : epoch->unseen;
}

/* The narrowest range between round figures, with one in the middle. */
static void fit_range(canvas *c, const cli_epoch *epochs, int count)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 40, 50};
    double low = 100, high = 0;
    for (int i = 0; i < count; i++)
        for (int which = TRAINING; which <= UNSEEN; which++) {
            double percent = 100 * share_of(&epochs[i], which);
            low = percent >= 0 && percent < low ? percent : low;
            high = percent > high ? percent : high;
        }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        double unit = steps[i] < 10 ? steps[i] : 10;
        c->step = steps[i];
        c->low = (double)(int)(low / unit + 1e-9) * unit;
        if (c->low > 100 - 2 * c->step)
            c->low = 100 - 2 * c->step;
        if (c->low + 2 * c->step >= high - 1e-9)
            return;
    }
}

static int x_of(const canvas *c, int epoch, int count)
{
    return (int)((double)epoch * (c->width - 1) / (count - 1) + 0.5);
}

static int y_of(const canvas *c, double share)
{
    return (int)((c->height - 1) * (1 - (100 * share - c->low) / (2 * c->step)) + 0.5);
}

/* Unseen pictures: a line without gaps. Training: of braille's dots every third, of letters all. */
static void draw_piece(canvas *c, int which, int x0, int x1, double from, double to)
{
    int last = y_of(c, from);
    for (int x = x0; x <= x1; x++) {
        int y = y_of(c, x1 > x0 ? from + (to - from) * (x - x0) / (x1 - x0) : to);
        if (which == UNSEEN)
            for (int between = last; between != y; between += y > last ? 1 : -1)
                c->dots[between][x] |= UNSEEN;
        if (which == UNSEEN || c->across == 1 || x % 3 == 0)
            c->dots[y][x] |= (unsigned char)which;
        last = y;
    }
}

static void draw(canvas *c, const cli_epoch *epochs, int count, int which)
{
    for (int i = 1; i < count; i++) {
        double from = share_of(&epochs[i - 1], which), to = share_of(&epochs[i], which);
        if (from >= 0 && to >= 0)
            draw_piece(c, which, x_of(c, i - 1, count), x_of(c, i, count), from, to);
    }
}

/* Braille: bits 0 to 2 down the left, 3 to 5 down the right, 6 and 7 below them. */
static unsigned braille(const canvas *c, int row, int column)
{
    static const unsigned char bits[4][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};
    unsigned pattern = 0;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 2; x++)
            if (c->dots[4 * row + y][2 * column + x] != 0)
                pattern |= 1u << bits[y][x];
    return pattern;
}

/* The character of a cell; "" for an empty one. */
static const char *cell(const canvas *c, int row, int column, char text[4])
{
    if (row == c->best_row && column == c->best_column)
        return c->across == 2 ? "●" : "*";
    if (c->across == 1)
        return c->dots[row][column] & UNSEEN ? "o" : c->dots[row][column] != 0 ? "." : "";
    unsigned pattern = braille(c, row, column);
    text[0] = (char)0xE2;
    text[1] = (char)(0xA0 + (pattern >> 6));
    text[2] = (char)(0x80 + (pattern & 63));
    text[3] = '\0';
    return pattern != 0 ? text : "";
}

static void print_row(FILE *file, const canvas *c, int row)
{
    int utf8 = c->across == 2, blanks = 0;
    if (row % 2 == 0)
        fprintf(file, "%*.*f %% %s", LABEL - 2, c->step < 1,
                c->low + (ROWS - 1 - row) / 2 * c->step, utf8 ? "┤" : "+");
    else
        fprintf(file, "%*s %s", LABEL, "", utf8 ? "│" : "|");
    for (int column = 0; column < c->columns; column++) {
        char text[4];
        const char *found = cell(c, row, column, text);
        blanks++;
        if (*found != '\0') {
            fprintf(file, "%*s%s", blanks - 1, "", found);
            blanks = 0;
        }
    }
    fputc('\n', file);
}

/* The axis, the first and the last epoch below it, and what the curves are. */
static void print_foot(FILE *file, const canvas *c, int count, int best)
{
    int utf8 = c->across == 2;
    fprintf(file, "%*s %s", LABEL, "", utf8 ? "└" : "+");
    for (int i = 0; i < c->columns; i++)
        fputs(utf8 ? "─" : "-", file);
    fprintf(file, "\n%*s1%*d\n", LABEL + 2, "", c->columns - 1, count);
    fprintf(file, "accuracy: %s unseen  %s training  %s best, epoch %d\n", utf8 ? "⠒⠒" : "o",
            utf8 ? "⠂⠄" : ".", utf8 ? "●" : "*", best);
}

static void mark_best(canvas *c, const cli_epoch *epochs, int count, int best)
{
    c->best_row = c->best_column = -1;
    if (best < 1 || best > count || epochs[best - 1].unseen < 0)
        return;
    c->best_row = y_of(c, epochs[best - 1].unseen) / c->down;
    c->best_column = x_of(c, best - 1, count) / c->across;
}

void cli_curve(FILE *file, const cli_epoch *epochs, int count, int best)
{
    canvas c;
    int room = cli_columns() > 0 ? cli_columns() - LABEL - 2 : COLUMNS_MAX;
    int wanted = count < 4 ? COLUMNS_MIN : count > 12 ? COLUMNS_MAX : 4 * count;
    if (count < 2 || room < COLUMNS_MIN)
        return;
    memset(&c, 0, sizeof c);
    c.columns = wanted < room ? wanted : room;
    c.across = cli_utf8() ? 2 : 1;
    c.down = cli_utf8() ? 4 : 1;
    c.width = c.across * c.columns;
    c.height = c.down * ROWS;
    fit_range(&c, epochs, count);
    draw(&c, epochs, count, TRAINING);
    draw(&c, epochs, count, UNSEEN);
    mark_best(&c, epochs, count, best);
    for (int row = 0; row < ROWS; row++)
        print_row(file, &c, row);
    print_foot(file, &c, count, best);
}
