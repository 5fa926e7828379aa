/* cli/words.c: which known word a misspelt one may mean. SPDX-License-Identifier: MIT */
#include "words.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 64 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* '-' and '_' are the same letter, as are capitals and small ones. */
static char letter(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '-' ? '_' : c);
}

/* Levenshtein distance by two rows; very long words are near to nothing. */
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1];
    int n = (int)strlen(b);
    if (n > WORD_MAX || strlen(a) > WORD_MAX)
        return INT_MAX;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = diagonal + (letter(a[i - 1]) != letter(b[j - 1]));
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

/* Further off than a third of the letters and one more is no suggestion ("trian" is 2 off
 * "train"); of one or two letters all must be right. */
cli_nearest cli_nearest_to(const char *word)
{
    int letters = (int)strlen(word);
    cli_nearest best = {word, NULL, letters > 2 ? letters / 3 + 2 : 1};
    return best;
}

void cli_nearest_offer(cli_nearest *best, const char *word)
{
    int d = distance(best->to, word);
    if (d < best->distance) {
        best->distance = d;
        best->word = word;
    }
}
