/* base/lock.c: a mutex of the host's memory. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"
#include "base/pool.h"
#include "base/status.h"

#include <pthread.h>

struct ic_lock {
    pthread_mutex_t mutex;
};

ic_status ic_lock_create(ic_context *context, ic_lock **out)
{
    ic_lock *lock;
    IC_TRY(ic_allocate(context, sizeof *lock, &lock));
    pthread_mutex_init(&lock->mutex, NULL);
    *out = lock;
    return IC_OK;
}

void ic_lock_take(ic_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void ic_lock_give(ic_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

void ic_lock_free(ic_context *context, ic_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_destroy(&lock->mutex);
    ic_free(context, lock);
}
