/* kernel: jitk_function, a scalar function as a native function pointer. Its code is all there is of it: freeing needs
 * the address alone. */
#include "kernel.h"

JK_SMALL_OPEN

#define JK_FUNCTION_STACK 20480

/* What jk_lower lets through and a scalar function cannot be. */
JK_FUNC jitk_status jk_function_check(const jk_program *p, jitk_error *e)
{
    uint32_t i;
    if (p->nargs - p->nparams != 1)
        return jk_fail(e, JITK_ERR_TYPE, 0, 0, 0, "a scalar function has one result, this has %u",
                       (unsigned)(p->nargs - p->nparams));
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        if (a->is_array)
            return jk_fail(e, JITK_ERR_TYPE, 0, 0, 0, "a scalar function has no arrays, this has %s",
                           a->is_result ? "an array result" : a->name);
        if (a->type != p->type)
            return jk_fail(e, JITK_ERR_TYPE, 0, 0, 0, "all of a scalar function is %s, %s names another type",
                           jk_type_name((jk_type)p->type), a->is_result ? "the result" : a->name);
    }
    for (i = 0; i < p->nins; i++)
        if ((jk_op_rows[p->ins[i].op].flags & JK_RED) || p->ins[i].op == JK_LENGTH)
            return jk_fail(e, JITK_ERR_TYPE, 0, 0, 0, "a scalar function has no reductions and no length()");
    return JITK_OK;
}

JK_NOINLINE void *jk_function_compile(const char *source, const jitk_options *o, size_t *arity, jitk_error *e)
{
    char first[JK_FUNCTION_STACK];
    const jk_settings *s = jk_settings_get();
    int saved = errno;
    jk_lower_options lo;
    jk_program p;
    jk_code code;
    jk_exec x;
    jk_arena arena;
    jitk_ast ast;
    x.code = NULL;
    memset(&lo, 0, sizeof lo);
    lo.type = o && o->type == JITK_F32 ? JK_F32 : JK_F64;
    lo.flags = o ? o->flags : 0;
    lo.entry = o ? o->entry : NULL;
    lo.scalar = true;
    jk_arena_init(&arena, first + JK_FUNCTION_STACK / 4, JK_FUNCTION_STACK - JK_FUNCTION_STACK / 4);
    if (jk_parse(&ast, source, strlen(source), first, JK_FUNCTION_STACK / 4, e) == JITK_OK &&
        jk_lower(&ast, &lo, &arena, &p, e) == JITK_OK && jk_function_check(&p, e) == JITK_OK &&
        jk_x64_function(&p, s->cpu.avx2, NULL, 0, &arena, &code, e) == JITK_OK &&
        jk_exec_publish(code.bytes, code.nbytes, &x, e) == JITK_OK)
        *arity = p.nparams;
    jk_arena_free(&ast.arena);
    jk_arena_free(&arena);
    errno = saved;
    return x.code;
}

JITK_API jitk_fn jitk_function(const char *source, const jitk_options *options, size_t *arity, jitk_error *error)
{
    uint32_t mode = jk_fp_enter();
    void *code = NULL;
    size_t count = 0;
    jitk_error e;
    jitk_isa isa;
    e.status = JITK_OK;
    if (!source)
        jk_fail(&e, JITK_ERR_ARGS, 0, 0, 0, "the source is NULL");
    else if (jk_options_check(options, &isa, &e) == JITK_OK) {
        if (!JK_NATIVE || (options && options->isa == JITK_ISA_INTERP))
            jk_fail(&e, JITK_ERR_EXEC, 0, 0, 0, "a function pointer needs machine code: the interpreter has none");
        else
            code = jk_function_compile(source, options, &count, &e);
    }
    if (arity)
        *arity = count;
    jk_report(&e, error);
    jk_fp_leave(mode);
    return (jitk_fn)(uintptr_t)code;
}

JITK_API void jitk_function_free(jitk_fn function)
{
    jk_exec_free((void *)(uintptr_t)function);
}

JK_SMALL_CLOSE
#undef JK_FUNCTION_STACK
