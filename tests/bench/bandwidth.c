/*
 * bench/bandwidth.c: reading, and the triad of STREAM with ordinary stores, as kernels have them.
 * The bytes that a store first reads into its cache line are not counted. Every thread has arrays
 * of its own; a barrier starts them together, and the slowest counts. SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L /* pthread_barrier, clock_gettime */
#include "bandwidth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* GCC and Clang's vectors: split into what the target has. */
typedef float floats __attribute__((vector_size(64)));

enum { VECTORS = 1 << 21, RUNS = 6, THREADS_MAX = 256 }; /* 128 MiB an array */

typedef struct stream {
    pthread_barrier_t *barrier;
    double read_seconds, triad_seconds;
    float sum;
} stream;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static floats *array(void)
{
    floats *block = aligned_alloc(64, VECTORS * sizeof(floats));
    if (block == NULL) {
        fputs("not enough memory\n", stderr);
        exit(1);
    }
    memset(block, 0, VECTORS * sizeof(floats));
    return block;
}

static float read_all(const floats *a)
{
    floats s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (int i = 0; i < VECTORS; i += 4)
        s0 += a[i], s1 += a[i + 1], s2 += a[i + 2], s3 += a[i + 3];
    s0 += s1 + s2 + s3;
    return s0[0];
}

static void triad(floats *restrict a, const floats *restrict b, const floats *restrict c)
{
    for (int i = 0; i < VECTORS; i++)
        a[i] = b[i] + c[i] * 0.5f;
}

static void *run(void *argument)
{
    stream *s = argument;
    floats *a = array(), *b = array(), *c = array();
    s->read_seconds = s->triad_seconds = 1e9;
    for (int i = 0; i < RUNS; i++) {
        pthread_barrier_wait(s->barrier);
        double begin = now();
        s->sum += read_all(a);
        double seconds = now() - begin;
        s->read_seconds = seconds < s->read_seconds ? seconds : s->read_seconds;
        pthread_barrier_wait(s->barrier);
        begin = now();
        triad(a, b, c);
        seconds = now() - begin;
        s->triad_seconds = seconds < s->triad_seconds ? seconds : s->triad_seconds;
    }
    free(a), free(b), free(c);
    return NULL;
}

bandwidth measure_bandwidth(int threads)
{
    static stream streams[THREADS_MAX];
    pthread_t handles[THREADS_MAX];
    pthread_barrier_t barrier;
    threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        streams[i] = (stream){.barrier = &barrier};
        if (pthread_create(&handles[i], NULL, run, &streams[i]) != 0) {
            fputs("no threads\n", stderr);
            exit(1);
        }
    }
    double read = 0, copy = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        read = streams[i].read_seconds > read ? streams[i].read_seconds : read;
        copy = streams[i].triad_seconds > copy ? streams[i].triad_seconds : copy;
    }
    pthread_barrier_destroy(&barrier);
    double bytes = (double)VECTORS * sizeof(floats) * threads * 1e-9;
    return (bandwidth){.read = bytes / read, .triad = 3 * bytes / copy};
}
