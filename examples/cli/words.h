/* cli/words.h: which known word a misspelt one may mean. SPDX-License-Identifier: MIT */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

/* The nearest of the words that were offered; NULL: none is near. */
typedef struct cli_nearest {
    const char *to;
    const char *word;
    int distance; /* a word must be nearer than this */
} cli_nearest;

/* Begins a search, then takes the known words one by one. */
cli_nearest cli_nearest_to(const char *word);
void cli_nearest_offer(cli_nearest *best, const char *word);

#endif
