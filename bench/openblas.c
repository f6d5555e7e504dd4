/* openblas: OpenBLAS, loaded when the program runs, so that the build needs nothing of it. Its variable for one thread
 * is set before its constructor runs, so it starts none. */
#define _GNU_SOURCE
#include "bench.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;

static void *symbol(const char *name)
{
    return library ? dlsym(library, name) : NULL;
}

bool bench_blas_open(void)
{
    static bool tried;
    if (!tried) {
        tried = true;
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            bench_note("OpenBLAS is not installed (Debian: libopenblas0); its columns are missing");
        else if (!bench_blas_sum64() || !bench_blas_sum32())
            bench_note("this OpenBLAS has no cblas_dsum/cblas_ssum; its column of sum is missing");
    }
    return library != NULL;
}

const char *bench_blas_config(void)
{
    const char *(*f)(void) = NULL;
    void *p = symbol("openblas_get_config");
    memcpy(&f, &p, sizeof f);
    return f ? f() : "";
}

/* memcpy, since ISO C has no cast from void * to a function pointer. */
double (*bench_blas_sum64(void))(int, const double *, int)
{
    double (*f)(int, const double *, int);
    void *p = symbol("cblas_dsum");
    memcpy(&f, &p, sizeof f);
    return f;
}

double (*bench_blas_dot64(void))(int, const double *, int, const double *, int)
{
    double (*f)(int, const double *, int, const double *, int);
    void *p = symbol("cblas_ddot");
    memcpy(&f, &p, sizeof f);
    return f;
}

float (*bench_blas_sum32(void))(int, const float *, int)
{
    float (*f)(int, const float *, int);
    void *p = symbol("cblas_ssum");
    memcpy(&f, &p, sizeof f);
    return f;
}

float (*bench_blas_dot32(void))(int, const float *, int, const float *, int)
{
    float (*f)(int, const float *, int, const float *, int);
    void *p = symbol("cblas_sdot");
    memcpy(&f, &p, sizeof f);
    return f;
}
