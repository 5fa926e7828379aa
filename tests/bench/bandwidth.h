/* bench/bandwidth.h: what the memory gives, measured. SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_BANDWIDTH_H
#define TESTS_BENCH_BANDWIDTH_H

typedef struct bandwidth {
    double read;  /* billions of bytes a second: a sum over an array */
    double triad; /* a = b + c * d: two read, one written, counted as three */
} bandwidth;

/* The best of some runs over arrays far beyond the caches of a core, by that many threads at a
 * time. */
bandwidth measure_bandwidth(int threads);

#endif
