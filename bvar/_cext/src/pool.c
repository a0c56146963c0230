/* pool.c - a small pool of threads: run one kernel over chunks of its items.
 *
 * Work is cut into chunks of at most some 50 us, which whoever is idle takes from an atomic counter: nobody has a
 * share of his own.  The caller works too, takes all that no other has begun, and waits only for chunks in hand.
 *
 * A worker that loses its core with a chunk in hand is waited for all the same, for as long as a busy system likes.
 * So losses are kept account of, against what was won just before: a job that took longer than its chunks took on
 * the processor, all together, would have been done sooner by one thread that keeps its core.  Once more was lost
 * than won, jobs of twenty times the difference are done without help.  However busy the machine, a twentieth of
 * the work is lost at most, beyond what was won.
 *
 * After a job a worker looks for the next for a while, then it sleeps.  One that looks begins within a microsecond
 * and is worth sharing little work with; one that sleeps takes some 50 us.  But looking takes time on a processor:
 * who loses it while he looks knows that others want it, which counts as a loss too.
 *
 * One job at a time owns the pool; a second caller, or a kernel that is run by it, runs alone in its own thread.
 *
 * fork: threads do not survive it, and a lock may be held by one that is gone.  A handler gives the child a fresh,
 * empty pool, which grows when it is used.  (OpenMP's pool hangs there.) */
#ifdef __linux__
#define _POSIX_C_SOURCE 200809L /* clocks, under -std=c11 */
#endif
#include "bvar_kernels.h"

#if defined(__unix__) || defined(__APPLE__)
#define BVAR_POSIX_THREADS 1
#endif

#ifdef BVAR_POSIX_THREADS
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { /* nanoseconds */
    LONGEST_CHUNK = 50 * 1000,
    SHORTEST_CHUNK = 5 * 1000, /* a kernel begins each with some work of its own */
    WORTH_A_WAKE = 100 * 1000,
    WORTH_SHARING = 20 * 1000, /* with a worker that looks for work */
    LOOK = 200 * 1000,         /* for the next job, before sleeping */
    SWITCH = 50 * 1000,        /* who was away for longer had lost his core: interrupts are shorter */
    MOST_WON = 5 * 1000 * 1000, /* that losses are set off against */
    LARGEST_DEBT = 1000 * 1000 * 1000 /* or who was stopped for a minute would never be helped again */
};

enum { CHUNKS_EACH = 4, PENANCE = 20 };

typedef struct {
    bvar_kernel kernel;
    const void *job;
    ptrdiff_t n_items, chunk;
    atomic_ptrdiff_t next;
    atomic_llong sum, on_cpu; /* of what kernels returned, and of nanoseconds in them */
} work;

static struct {
    pthread_mutex_t owner; /* held while a job runs */
    pthread_mutex_t lock;  /* guards what follows, but what is atomic may be looked at without */
    pthread_cond_t wake, done;
    atomic_uint jobs; /* counts jobs; workers watch it */
    atomic_int active, looking;
    atomic_llong balance; /* nanoseconds lost by help, less those won; never positive for long */
    atomic_llong debt;    /* nanoseconds of work to be done without help, after a loss */
    int n_cpus, n_workers, seats;
    work *now;
} pool;

static long long nanoseconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return 1000000000LL * t.tv_sec + t.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("yield");
#endif
}

static void do_chunks(work *w) {
    const long long start = nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
    int64_t sum = 0;
    for (;;) {
        const ptrdiff_t begin = atomic_fetch_add(&w->next, w->chunk);
        if (begin >= w->n_items)
            break;
        sum += w->kernel(w->job, begin, begin + w->chunk < w->n_items ? begin + w->chunk : w->n_items);
    }
    atomic_fetch_add(&w->sum, sum);
    atomic_fetch_add(&w->on_cpu, nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) - start);
}

/* Put a loss, or what was won, to the account. */
static void put_down(long long lost) {
    long long sum = atomic_fetch_add(&pool.balance, lost) + lost;
    if (sum > 0) {
        atomic_fetch_sub(&pool.balance, sum);
        sum = sum < LARGEST_DEBT / PENANCE ? sum : LARGEST_DEBT / PENANCE;
        if (atomic_fetch_add(&pool.debt, PENANCE * sum) > LARGEST_DEBT - PENANCE * sum)
            atomic_store(&pool.debt, LARGEST_DEBT);
    } else if (sum < -MOST_WON) {
        atomic_store(&pool.balance, -MOST_WON);
    }
}

/* Look for a while whether the number of jobs is another; in debt there will be none. */
static void look_for_work(unsigned seen) {
    const long long start = nanoseconds_of(CLOCK_MONOTONIC), on_cpu = nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
    long long now = start;
    if (atomic_load(&pool.debt) > 0)
        return;
    atomic_fetch_add(&pool.looking, 1);
    while (atomic_load(&pool.jobs) == seen && now < start + LOOK) {
        relax();
        now = nanoseconds_of(CLOCK_MONOTONIC);
    }
    atomic_fetch_sub(&pool.looking, 1);
    const long long away = now - start - (nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) - on_cpu);
    if (away > SWITCH)
        put_down(away);
}

/* Wait for a seat, which is then taken. */
static work *take_seat(unsigned *seen) {
    pthread_mutex_lock(&pool.lock);
    while (pool.seats == 0)
        pthread_cond_wait(&pool.wake, &pool.lock);
    work *w = pool.now;
    *seen = atomic_load(&pool.jobs);
    --pool.seats;
    atomic_fetch_add(&pool.active, 1);
    pthread_mutex_unlock(&pool.lock);
    return w;
}

static void leave_seat(void) {
    pthread_mutex_lock(&pool.lock);
    pool.seats = 0; /* nothing is left to take */
    if (atomic_fetch_sub(&pool.active, 1) == 1)
        pthread_cond_signal(&pool.done);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *unused) {
    (void)unused;
    for (unsigned seen;;) {
        do_chunks(take_seat(&seen));
        leave_seat();
        look_for_work(seen);
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
    pool.n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
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

/* Offer seats to those who look for work and, if it is worth it, to those who sleep. */
static void offer(work *w, int seats, int wake) {
    pthread_mutex_lock(&pool.lock);
    pool.now = w;
    pool.seats = seats;
    atomic_fetch_add(&pool.jobs, 1);
    pthread_mutex_unlock(&pool.lock);
    for (int asleep = wake ? seats - atomic_load(&pool.looking) : 0; asleep > 0; --asleep)
        pthread_cond_signal(&pool.wake);
}

/* Nobody may begin any more; wait for those who have, with open eyes for as long as a chunk takes. */
static void wait_for_chunks_in_hand(void) {
    pthread_mutex_lock(&pool.lock);
    pool.seats = 0;
    pthread_mutex_unlock(&pool.lock);
    const long long end = nanoseconds_of(CLOCK_MONOTONIC) + LONGEST_CHUNK;
    while (atomic_load(&pool.active) > 0 && nanoseconds_of(CLOCK_MONOTONIC) < end)
        relax();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.active) > 0)
        pthread_cond_wait(&pool.done, &pool.lock);
    pool.now = NULL;
    pthread_mutex_unlock(&pool.lock);
}

static ptrdiff_t chunk_of(ptrdiff_t n_items, ptrdiff_t grain, double nanoseconds, int n_threads) {
    const ptrdiff_t grains = (n_items + grain - 1) / grain;
    double longest = nanoseconds / (CHUNKS_EACH * n_threads);
    longest = longest < SHORTEST_CHUNK ? SHORTEST_CHUNK : longest > LONGEST_CHUNK ? LONGEST_CHUNK : longest;
    const ptrdiff_t most = (grains + n_threads - 1) / n_threads;
    const double fit = (double)grains * longest / nanoseconds;
    return grain * (fit < 1 ? 1 : fit < (double)most ? (ptrdiff_t)fit : most);
}

/* Whether a job must be done without help; if so it pays. */
static int is_in_debt(double nanoseconds) {
    if (atomic_load(&pool.debt) <= 0)
        return 0;
    atomic_fetch_sub(&pool.debt, (long long)nanoseconds);
    return 1;
}

int64_t bvar_run(bvar_kernel kernel, const void *job, ptrdiff_t n_items, ptrdiff_t grain, double nanoseconds,
                 int n_threads) {
    const int always = n_threads < 0;
    n_threads = n_threads < -BVAR_MAX_THREADS ? BVAR_MAX_THREADS : always ? -n_threads : n_threads;
    if (n_threads <= 1 || n_items <= grain || (nanoseconds < WORTH_SHARING && !always))
        return kernel(job, 0, n_items);
    pthread_once(&once, start);
    const int wake = always || nanoseconds >= WORTH_A_WAKE;
    if (!always) { /* more threads than processors would only quarrel */
        n_threads = n_threads < pool.n_cpus ? n_threads : pool.n_cpus;
        if (n_threads <= 1 || is_in_debt(nanoseconds) || (!wake && !atomic_load(&pool.looking)))
            return kernel(job, 0, n_items);
    }
    if (pthread_mutex_trylock(&pool.owner))
        return kernel(job, 0, n_items);

    const long long start = nanoseconds_of(CLOCK_MONOTONIC);
    work w = {.kernel = kernel, .job = job, .n_items = n_items};
    w.chunk = always ? grain : chunk_of(n_items, grain, nanoseconds, n_threads);
    add_workers(n_threads - 1);
    offer(&w, n_threads - 1, wake);
    do_chunks(&w);
    wait_for_chunks_in_hand();

    put_down(nanoseconds_of(CLOCK_MONOTONIC) - start - atomic_load(&w.on_cpu));
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
