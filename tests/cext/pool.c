/* pool.c - the pool of threads, without Python: every item once, whoever calls, and who waits for whom.
 *
 *     pool [rounds]
 *
 * runs under ThreadSanitizer too, and fails at the first wrong answer. */
#ifdef __linux__
#define _POSIX_C_SOURCE 200809L
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bvar_kernels.h"

enum { MOST = 2000, CALLERS = 6 };

static void must(int right, const char *what) {
    if (right)
        return;
    fprintf(stderr, "pool: %s\n", what);
    exit(1);
}

static void rest(int milliseconds) { nanosleep(&(struct timespec){0, 1000000L * milliseconds}, NULL); }

/* ------------------------------------------------------------------------------------- every item once */

static int64_t count(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    int32_t *seen = *(int32_t *const *)job; /* plain: a data race if two threads had one item */
    for (ptrdiff_t i = begin; i < end; ++i)
        ++seen[i];
    return end - begin;
}

static void every_item_once(void) {
    int32_t seen[MOST], *job = seen;
    for (ptrdiff_t n = 0; n < MOST; n = 2 * n + 1)
        for (ptrdiff_t grain = 1; grain < 100; grain *= 7)
            for (int threads = -3; threads < 4; ++threads) {
                for (ptrdiff_t i = 0; i < n; ++i)
                    seen[i] = 0;
                must(bvar_run(count, &job, n, grain, 150e3, threads) == n, "a sum is wrong");
                for (ptrdiff_t i = 0; i < n; ++i)
                    must(seen[i] == 1, "an item was not done once");
            }
}

/* A kernel that runs kernels: the pool is taken, so each part is done by who has it. */
static int64_t nested(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    int64_t sum = 0;
    for (ptrdiff_t i = begin; i < end; ++i) {
        int32_t seen[10] = {0}, *inner = seen;
        sum += bvar_run(count, &inner, 10, 1, 1e6, -3);
    }
    (void)job;
    return sum;
}

static void *call(void *unused) {
    every_item_once();
    must(bvar_run(nested, NULL, 50, 1, 1e6, -4) == 500, "a nested sum is wrong");
    return unused;
}

static void many_callers(void) {
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; ++i)
        must(pthread_create(callers + i, NULL, call, NULL) == 0, "no thread could be started");
    for (int i = 0; i < CALLERS; ++i)
        pthread_join(callers[i], NULL);
}

static void fork_in_the_midst(void) {
    pthread_t caller;
    int status;
    must(pthread_create(&caller, NULL, call, NULL) == 0, "no thread could be started");
    const pid_t child = fork();
    if (child == 0) {
        call(NULL);
        _exit(0);
    }
    call(NULL);
    pthread_join(caller, NULL);
    must(waitpid(child, &status, 0) == child && status == 0, "a child failed");
}

/* -------------------------------------------------------------------------------------- who waits for whom */

static pthread_t caller;
static atomic_int by_caller, by_others, released;

/* Another thread keeps its first chunk in hand until the caller has done all the rest, and then for a while. */
static int64_t hold(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    (void)job, (void)begin, (void)end;
    if (pthread_equal(pthread_self(), caller)) {
        while (atomic_load(&by_others) == 0 && !atomic_load(&released))
            rest(1); /* so that there is a chunk in another hand */
        atomic_store(&released, atomic_fetch_add(&by_caller, 1) == 8);
        return 1;
    }
    atomic_fetch_add(&by_others, 1);
    while (!atomic_load(&released))
        rest(1);
    rest(20);
    return 1;
}

/* Two items that wait for each other, or for ten seconds. */
static int64_t meet(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    atomic_int *here = *(atomic_int *const *)job;
    const time_t start = time(NULL);
    atomic_fetch_add(here, 1);
    while (atomic_load(here) < 2 && time(NULL) < start + 10) {
    }
    return end - begin;
}

static void large_work_is_shared(void) {
    atomic_int here = 0, *job = &here;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    const time_t start = time(NULL);
    must(bvar_run(meet, &job, 2, 1, 1e6, 2) == 2, "a sum is wrong");
    must(time(NULL) < start + 10, "nobody helped");
}

static int64_t who(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    (void)job;
    return pthread_equal(pthread_self(), caller) ? end - begin : 0;
}

static void only_chunks_in_hand_are_waited_for(void) {
    caller = pthread_self();
    must(bvar_run(hold, NULL, 10, 1, 1e6, -2) == 10, "a sum is wrong");
    must(by_caller == 9 && by_others == 1, "the caller did not take what nobody had begun");
}

/* Those 20 ms were a loss, 5 of them paid by winnings at most, and jobs of twenty times the rest are done alone. */
static void losses_are_made_good(void) {
    for (int i = 0; i < 250; ++i)
        must(bvar_run(who, NULL, 20, 1, 1e6, 2) == 20, "after a loss others were asked for help");
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 20;
    large_work_is_shared(); /* before there is a loss */
    for (int round = 0; round < rounds; ++round)
        call(NULL), many_callers(), fork_in_the_midst();
    only_chunks_in_hand_are_waited_for();
    losses_are_made_good();
    printf("pool: every item once, %d rounds\n", rounds);
    return 0;
}
