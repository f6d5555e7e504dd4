/* A process forks while another thread is within its first call: the child's calls must work. getenv, which a first
 * call asks, is this file's own and takes its time. (tools/check-first-fork) */
#define _POSIX_C_SOURCE 200809L
#include "jitk.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int asked;

char *getenv(const char *name)
{
    const struct timespec while_forking = {0, 300000000};
    (void)name;
    __atomic_store_n(&asked, 1, __ATOMIC_RELEASE);
    nanosleep(&while_forking, NULL);
    return NULL;
}

static void *first_call(void *p)
{
    jitk_free(jitk_compile("x + 1", NULL, NULL));
    return p;
}

static int works(void)
{
    double x[3] = {1, 2, 3};
    return jitk_eval("2*x", 3, x, x) == JITK_OK && jitk_sum(x, 3) == 12;
}

int main(void)
{
    const struct timespec moment = {0, 1000000};
    pthread_t thread;
    int status = 0;
    pid_t child;
    if (pthread_create(&thread, NULL, first_call, NULL))
        return 2;
    while (!__atomic_load_n(&asked, __ATOMIC_ACQUIRE))
        nanosleep(&moment, NULL);
    child = fork();
    if (child == 0) {
        alarm(20);
        _exit(works() ? 0 : 3);
    }
    waitpid(child, &status, 0);
    pthread_join(thread, NULL);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        puts("the child hangs");
    return status == 0 && works() ? 0 : 1;
}
