/* exec: executable memory. Never writable and executable at once; a page with live code is never made writable again.
 */
#ifndef JK_EXEC_H
#define JK_EXEC_H
#include "cpu.h"

typedef struct jk_exec { /* one published piece of code */
    void *code;          /* 64-byte aligned */
    size_t nbytes;       /* of its pages */
} jk_exec;

/* Copies the code into fresh pages and publishes it; NULL where the system gives no such memory. Safe from many threads
 * at once. Code is position independent: a listing needs no more than the address that a publish
 * gave. */
JK_FUNC jk_exec jk_exec_publish(const void *code, size_t nbytes);
JK_FUNC void jk_exec_free(void *code); /* of NULL: nothing */
JK_FUNC bool jk_exec_possible(void);   /* by trying */

/* Around fork: the child's copy of the lock must be a fresh one. */
JK_NOINLINE void jk_exec_lock(void);
JK_NOINLINE void jk_exec_unlock(void);
JK_FUNC void jk_exec_child(void);
#endif
