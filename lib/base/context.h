/* base/context.h: the inside of a context. SPDX-License-Identifier: MIT */
#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include <imgcls/context.h>

#include <stdatomic.h>
#include <stdbool.h>

typedef struct ic_pool ic_pool;
struct ic_lock;

typedef struct ic_limits {
    int64_t file_bytes; /* of an encoded picture */
    int32_t side;       /* pixels */
    int64_t pixels;     /* width * height */
} ic_limits;

/*
 * The instruction sets that kernels are written for; those of one architecture ascending. Levels
 * beyond IC_CPU_LEVELS multiply in bfloat16: a context has them only if "precision" asks for it.
 */
typedef enum ic_cpu_level {
    IC_CPU_C = 0,
    IC_CPU_NEON,
    IC_CPU_SSE41,
    IC_CPU_AVX2, /* with FMA */
    IC_CPU_AVX512,
    IC_CPU_LEVELS,
    IC_CPU_AVX512_BF16 = IC_CPU_LEVELS,
    IC_CPU_AMX_BF16,
    IC_CPU_ALL_LEVELS
} ic_cpu_level;

struct ic_context {
    atomic_int references;
    ic_allocate_fn allocate;
    void *allocate_payload;
    bool huge_pages; /* the memory is the C library's: large blocks may ask for huge pages */
    ic_log_fn log;
    void *log_payload;
    ic_progress_fn progress;
    void *progress_payload;
    ic_limits limits;
    int32_t threads;           /* of the pool, the caller's included: >= 1 */
    ic_cpu_level cpu_level;    /* the best that CPU and options allow */
    ic_pool *_Atomic pool;     /* made at the first use of ic_context_pool */
    struct ic_lock *pool_lock; /* guards the making */
};

/* Each object of a context holds a reference; ic_context_free gives one up. */
ic_context *ic_context_retain(ic_context *context);

/* The pool, made when first asked for. */
ic_status ic_context_pool(ic_context *context, ic_pool **out);

/* A message for people to the log callback; dropped when there is none. Not on pool threads. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
void ic_log(ic_context *context, int32_t level, const char *format, ...);

/* Monotonic seconds. For progress and schedules of work, never for results. */
double ic_clock_seconds(void);

/* One event of long work: name/value pairs that ic_progress_value serves. */
enum { IC_PROGRESS_VALUES = 24 };
struct ic_progress {
    const char *phase;
    int32_t count;
    const char *names[IC_PROGRESS_VALUES];
    double values[IC_PROGRESS_VALUES];
};

/* Names are borrowed: literals. */
void ic_progress_begin(ic_progress *progress, const char *phase);
void ic_progress_set(ic_progress *progress, const char *name, double value);

/* Calls the callback: IC_OK, or IC_ERROR_CANCELLED (with its message) when it says stop. */
ic_status ic_progress_send(ic_context *context, const ic_progress *progress);

/*
 * The usual event: phase, done of total pictures, seconds since started. Sends only when
 * a tenth of a second has gone by since *last (which it then moves), or when all is done.
 */
ic_status ic_progress_step(ic_context *context, const char *phase, int64_t done, int64_t total,
                           double started, double *last);

#endif
