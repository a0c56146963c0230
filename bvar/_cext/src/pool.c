/* pool.c - a small pool of threads: run one kernel over chunks of its items.
 *
 * Work is cut into chunks of some 50 us, handed out by an atomic counter: a thread that loses its core loses one
 * chunk, not the whole.  The caller works too and never waits for a thread that has not begun, so a busy machine
 * costs nothing but the help it could not give.  Workers look for work for some 20 us after a job, then sleep.
 *
 * One job at a time owns the pool; a second caller runs alone in its own thread instead of waiting.
 *
 * fork: threads do not survive it, and a lock may be held by one that is gone.  A handler gives the child a fresh,
 * empty pool, which grows when it is used.  (OpenMP's pool hangs there.) */
#include "bvar_kernels.h"

#if defined(__unix__) || defined(__APPLE__)
#define BVAR_POSIX_THREADS 1
#endif

#ifdef BVAR_POSIX_THREADS
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    CHUNK_NS = 50 * 1000,  /* of work */
    SERIAL_NS = 100 * 1000, /* less is not worth a wake-up */
    SPINS = 2000           /* looks for a new job before sleeping */
};

typedef struct {
    bvar_kernel kernel;
    const void *job;
    ptrdiff_t n_items, chunk;
    atomic_ptrdiff_t next;
    atomic_llong sum;
} work;

static struct {
    pthread_mutex_t owner; /* held while a job runs */
    pthread_mutex_t lock;  /* guards what follows */
    pthread_cond_t wake, done;
    atomic_uint jobs;      /* counts jobs; workers watch it */
    int n_workers, seats, active;
    work *now;
} pool;

static void do_chunks(work *w) {
    for (;;) {
        const ptrdiff_t begin = atomic_fetch_add(&w->next, w->chunk);
        if (begin >= w->n_items)
            return;
        const ptrdiff_t end = begin + w->chunk < w->n_items ? begin + w->chunk : w->n_items;
        atomic_fetch_add(&w->sum, w->kernel(w->job, begin, end));
    }
}

static void *worker(void *unused) {
    unsigned seen = 0;
    (void)unused;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        if (pool.seats > 0 && seen != atomic_load(&pool.jobs)) {
            work *w = pool.now;
            seen = atomic_load(&pool.jobs);
            --pool.seats;
            ++pool.active;
            pthread_mutex_unlock(&pool.lock);
            do_chunks(w);
            pthread_mutex_lock(&pool.lock);
            if (--pool.active == 0)
                pthread_cond_signal(&pool.done);
            pthread_mutex_unlock(&pool.lock);
            for (int i = 0; i < SPINS && seen == atomic_load_explicit(&pool.jobs, memory_order_relaxed); ++i)
#if defined(__x86_64__)
                __builtin_ia32_pause();
#else
                ;
#endif
            pthread_mutex_lock(&pool.lock);
        } else {
            seen = atomic_load(&pool.jobs); /* no seat left in this job */
            pthread_cond_wait(&pool.wake, &pool.lock);
        }
    }
    return NULL;
}

/* Called once, and in the child of a fork, which has one thread. */
static void start_afresh(void) {
    memset(&pool, 0, sizeof pool);
    pthread_mutex_init(&pool.owner, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_cond_init(&pool.done, NULL);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
    start_afresh();
    pthread_atfork(NULL, NULL, start_afresh);
}

static void add_workers(int wanted) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pool.n_workers < wanted && pool.n_workers < BVAR_MAX_THREADS - 1) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, worker, NULL))
            break; /* fewer will do */
        ++pool.n_workers;
    }
    pthread_attr_destroy(&attributes);
}

int64_t bvar_run(bvar_kernel kernel, const void *job, ptrdiff_t n_items, ptrdiff_t grain, double nanoseconds,
                 int n_threads) {
    const int always = n_threads < 0;
    n_threads = n_threads < -BVAR_MAX_THREADS ? BVAR_MAX_THREADS : always ? -n_threads : n_threads;
    if (n_threads <= 1 || n_items <= grain || (nanoseconds < SERIAL_NS && !always))
        return kernel(job, 0, n_items);
    pthread_once(&once, start);
    if (pthread_mutex_trylock(&pool.owner))
        return kernel(job, 0, n_items);

    const double chunks = nanoseconds / CHUNK_NS + 1;
    const ptrdiff_t grains = (n_items + grain - 1) / grain;
    ptrdiff_t per_chunk = (ptrdiff_t)((double)grains / chunks) + 1;
    if (per_chunk * n_threads > grains)
        per_chunk = (grains + n_threads - 1) / n_threads;
    if (always)
        per_chunk = 1;
    work w = {.kernel = kernel, .job = job, .n_items = n_items, .chunk = per_chunk * grain};

    add_workers(n_threads - 1);
    pthread_mutex_lock(&pool.lock);
    pool.now = &w;
    pool.seats = n_threads - 1;
    atomic_fetch_add(&pool.jobs, 1);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);

    do_chunks(&w);

    pthread_mutex_lock(&pool.lock);
    pool.seats = 0; /* who has not begun need not begin */
    while (pool.active > 0)
        pthread_cond_wait(&pool.done, &pool.lock);
    pool.now = NULL;
    pthread_mutex_unlock(&pool.lock);
    pthread_mutex_unlock(&pool.owner);
    return (int64_t)atomic_load(&w.sum);
}
#else
int64_t bvar_run(bvar_kernel kernel, const void *job, ptrdiff_t n_items, ptrdiff_t grain, double nanoseconds,
                 int n_threads) {
    (void)grain, (void)nanoseconds, (void)n_threads;
    return kernel(job, 0, n_items);
}
#endif
