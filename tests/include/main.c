/* Asks every file of the program the same and compares: equal bits, the same functions, one cache. */
#include "file.h"
#include <stdio.h>
#include <string.h>

static int differ(const char *name, const file_answers *a, const file_answers *b)
{
    int same = !memcmp(&a->sum, &b->sum, 8) && !memcmp(&a->mean, &b->mean, 8) && !memcmp(&a->eval, &b->eval, 8) &&
               !memcmp(&a->nan_kept, &b->nan_kept, 8) && a->version == b->version && a->cached == b->cached &&
               a->status == b->status;
    printf("%-12s sum %.17g mean %.17g eval %.17g nan %g cached %zu status %u%s\n", name, a->sum, a->mean, a->eval,
           a->nan_kept, a->cached, a->status, same ? "" : "   DIFFERS");
    return !same;
}

int main(void)
{
    enum { N = 1000 };
    double x[N];
    file_answers first, a;
    int i, wrong = 0;
    for (i = 0; i < N; i++)
        x[i] = 1.0 / (i + 1);
    memset(&first, 0, sizeof first);
#define FILE_ROW(name)         \
    a = name(x, N);            \
    if (first.version == NULL) \
        first = a;             \
    wrong += differ(#name, &a, &first);
#ifdef FILE_ONE
    FILE_ROW(declared_c)
#else
    FILE_LIST(FILE_ROW)
#endif
#undef FILE_ROW
    if (first.status || first.cached != 2 || first.nan_kept != N)
        wrong++;
    printf("%s\n", wrong ? "NOT ONE PROGRAM" : "one program");
    return wrong != 0;
}
