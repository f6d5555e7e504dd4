/* jit_gccjit: libgccjit, the function built through its interface, at -O2, with AVX2 where the CPU has it. */
#include "jit.h"
#include <libgccjit.h>
#include <string.h>

typedef struct build {
    gcc_jit_context *g;
    gcc_jit_type *real;
    gcc_jit_rvalue *x; /* the element */
} build;

static gcc_jit_rvalue *number(const build *b, double v)
{
    return gcc_jit_context_new_rvalue_from_double(b->g, b->real, v);
}

static gcc_jit_rvalue *times(const build *b, double k, gcc_jit_rvalue *v)
{
    return gcc_jit_context_new_binary_op(b->g, NULL, GCC_JIT_BINARY_OP_MULT, b->real, number(b, k), v);
}

static gcc_jit_rvalue *expression(const build *b, const jit_work *w)
{
    if (w->terms == 0) {
        gcc_jit_function *root = gcc_jit_context_get_builtin_function(b->g, "sqrt");
        gcc_jit_rvalue *x = b->x;
        return times(b, 2, gcc_jit_context_new_call(b->g, NULL, root, 1, &x));
    }
    gcc_jit_rvalue *sum = times(b, jit_constant(0), b->x);
    for (size_t k = 1; k < w->terms; k++)
        sum = gcc_jit_context_new_binary_op(b->g, NULL, GCC_JIT_BINARY_OP_PLUS, b->real, sum,
                                            times(b, jit_constant(k), b->x));
    return sum;
}

/* for (i = 0; i < n; i++) o[i] = E(x[i]); */
static void function(build *b, const jit_work *w)
{
    gcc_jit_context *g = b->g;
    gcc_jit_type *none = gcc_jit_context_get_type(g, GCC_JIT_TYPE_VOID);
    gcc_jit_type *integer = gcc_jit_context_get_type(g, GCC_JIT_TYPE_LONG);
    gcc_jit_type *array = gcc_jit_type_get_pointer(b->real);
    gcc_jit_param *p[3] = {gcc_jit_context_new_param(g, NULL, array, "x"),
                           gcc_jit_context_new_param(g, NULL, array, "o"),
                           gcc_jit_context_new_param(g, NULL, integer, "n")};
    gcc_jit_function *f = gcc_jit_context_new_function(g, NULL, GCC_JIT_FUNCTION_EXPORTED, none, "f", 3, p, 0);
    gcc_jit_lvalue *i = gcc_jit_function_new_local(f, NULL, integer, "i");
    gcc_jit_block *entry = gcc_jit_function_new_block(f, "entry"), *head = gcc_jit_function_new_block(f, "head");
    gcc_jit_block *body = gcc_jit_function_new_block(f, "body"), *done = gcc_jit_function_new_block(f, "done");
    gcc_jit_rvalue *index = gcc_jit_lvalue_as_rvalue(i);
    gcc_jit_block_add_assignment(entry, NULL, i, gcc_jit_context_zero(g, integer));
    gcc_jit_block_end_with_jump(entry, NULL, head);
    gcc_jit_rvalue *more =
        gcc_jit_context_new_comparison(g, NULL, GCC_JIT_COMPARISON_LT, index, gcc_jit_param_as_rvalue(p[2]));
    gcc_jit_block_end_with_conditional(head, NULL, more, body, done);
    b->x = gcc_jit_lvalue_as_rvalue(gcc_jit_context_new_array_access(g, NULL, gcc_jit_param_as_rvalue(p[0]), index));
    gcc_jit_lvalue *out = gcc_jit_context_new_array_access(g, NULL, gcc_jit_param_as_rvalue(p[1]), index);
    gcc_jit_block_add_assignment(body, NULL, out, expression(b, w));
    gcc_jit_block_add_assignment_op(body, NULL, i, GCC_JIT_BINARY_OP_PLUS, gcc_jit_context_one(g, integer));
    gcc_jit_block_end_with_jump(body, NULL, head);
    gcc_jit_block_end_with_void_return(done, NULL);
}

static bool compile(const jit_work *w, double *check)
{
    build b;
    memset(&b, 0, sizeof b);
    b.g = gcc_jit_context_acquire();
    if (!b.g)
        return false;
    b.real = gcc_jit_context_get_type(b.g, GCC_JIT_TYPE_DOUBLE);
    gcc_jit_context_set_int_option(b.g, GCC_JIT_INT_OPTION_OPTIMIZATION_LEVEL, 2);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) /* it does not know -march=native */
        gcc_jit_context_add_command_line_option(b.g, "-march=x86-64-v3");
    gcc_jit_context_add_command_line_option(b.g, "-fno-math-errno");
    gcc_jit_context_add_command_line_option(b.g, "-ffp-contract=off");
    function(&b, w);
    gcc_jit_result *r = gcc_jit_context_compile(b.g);
    void *p = r ? gcc_jit_result_get_code(r, "f") : NULL;
    if (p) {
        jit_fn f;
        double x = 2;
        memcpy(&f, &p, sizeof f);
        f(&x, check, 1);
    }
    if (r)
        gcc_jit_result_release(r);
    gcc_jit_context_release(b.g);
    return p != NULL;
}

const jit_peer jit_gccjit = {"libgccjit", true, compile};
