/* What each file of the many-files program offers under its own name (FILE_NAME), made by including jitk.h in its own
 * way; main.c asks all of them for the same things. */
#ifndef FILE_H
#define FILE_H
#include <stddef.h>

typedef struct file_answers {
    double sum, mean, eval, nan_kept; /* of the same array */
    void (*version)(void);            /* address of a shared function */
    size_t cached;                    /* sources that jitk_eval keeps, in this file's view */
    unsigned status;
} file_answers;

#define FILE_LIST(X) X(plain_c) X(fast_c) X(hidden_c) X(declared_c) X(plain_cpp) X(extern_c_cpp)

#ifdef __cplusplus
extern "C" {
#endif
#define FILE_ROW(name) file_answers name(const double *x, size_t n);
FILE_LIST(FILE_ROW)
#undef FILE_ROW
#ifdef __cplusplus
}
#endif
#endif
