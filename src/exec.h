/* exec: executable memory. Never writable and executable at once; a page with live code is never made writable again. */
#ifndef JK_EXEC_H
#define JK_EXEC_H
#include "base.h"

typedef struct jk_exec {  /* one published piece of code */
    void *code;           /* 64-byte aligned */
    size_t nbytes;        /* of its pages */
} jk_exec;

/* Copies the code into fresh pages and publishes it. JITK_ERR_EXEC where the system refuses executable memory,
 * JITK_ERR_NOMEM where there is none. Safe from many threads at once. */
JK_FUNC jitk_status jk_exec_publish(const void *code, size_t nbytes, jk_exec *out, jitk_error *e);
/* Where the code will stand must be known for a listing: the address a publish gave is enough, code is position
 * independent. */
JK_FUNC void jk_exec_free(jk_exec *x);
JK_FUNC bool jk_exec_possible(void); /* tried once */
#endif
