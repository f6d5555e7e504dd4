/* jit_tcc: TCC as a library. */
#include "jit.h"
#include <libtcc.h>
#include <math.h>
#include <string.h>

static bool compile(const jit_work *w, double *check)
{
    TCCState *s = tcc_new();
    if (!s)
        return false;
    jit_fn f = NULL;
    void *p = NULL;
    double (*root)(double) = sqrt;
    void *root_address;
    memcpy(&root_address, &root, sizeof root);
    tcc_set_options(s, "-nostdlib -nostdinc");
    tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
    tcc_add_symbol(s, "sqrt", root_address);
    if (tcc_compile_string(s, w->c) == 0 && tcc_relocate(s, TCC_RELOCATE_AUTO) == 0)
        p = tcc_get_symbol(s, "f");
    if (p) {
        double x = 2;
        memcpy(&f, &p, sizeof f);
        f(&x, check, 1);
    }
    tcc_delete(s);
    return p != NULL;
}

const jit_peer jit_tcc = {"TCC", false, compile};
