/* kernel: jitk_function, a scalar function as a native function pointer. Its code is all there is of it: freeing needs
 * the address alone. */
#include "kernel.h"

JK_SMALL_OPEN

/* What jk_lower lets through and a scalar function cannot be. */
JK_FUNC jitk_status jk_function_check(const jk_program *p, jitk_error *e)
{
    uint32_t i;
    if (p->nargs - p->nparams != 1)
        return jk_fail(e, JITK_ERR_TYPE, "a scalar function has one result, this has %u",
                       (unsigned)(p->nargs - p->nparams));
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        if (a->is_array)
            return jk_fail(e, JITK_ERR_TYPE, "a scalar function has no arrays, this has %s",
                           a->is_result ? "an array result" : a->name);
        if (a->type != p->type)
            return jk_fail(e, JITK_ERR_TYPE, "all of a scalar function is %s, %s names another type",
                           jk_type_name((jk_type)p->type), a->is_result ? "the result" : a->name);
    }
    for (i = 0; i < p->nins; i++)
        if ((jk_op_rows[p->ins[i].op].flags & JK_RED) || p->ins[i].op == JK_LENGTH)
            return jk_refuse(e, JITK_ERR_TYPE, "a scalar function has no reductions and no length()");
    return JITK_OK;
}

JK_NOINLINE void *jk_function_make(const jk_program *p, size_t *arity, jk_arena *arena, jitk_error *e)
{
    jk_code code;
    void *made;
    if (jk_function_check(p, e) != JITK_OK ||
        jk_x64_compile(p, JK_ISA_FUNCTION, jk_cpu_has(&jk_settings_get()->cpu, JITK_ISA_AVX2), NULL, 0, arena, &code,
                       e) != JITK_OK)
        return NULL;
    made = jk_exec_publish(code.bytes, code.nbytes).code;
    if (made)
        *arity = p->nparams;
    else
        jk_refuse(e, JITK_ERR_EXEC, "the system gives no executable memory");
    return made;
}

JITK_API jitk_fn jitk_function(const char *source, const jitk_options *options, size_t *arity, jitk_error *error)
{
    jk_session s;
    jk_request r;
    void *code = NULL;
    jk_begin(&s);
    r.arity = 0;
    if (jk_request_read(&r, source, options, &s.e) == JITK_OK) {
        r.lower.scalar = true;
        if (!JK_NATIVE || (options && options->isa == JITK_ISA_INTERP))
            jk_refuse(&s.e, JITK_ERR_EXEC, "a function pointer needs machine code: the interpreter has none");
        else
            code = jk_compile_text(&r, &s.e);
    }
    if (arity)
        *arity = r.arity;
    jk_end(&s, error);
    return (jitk_fn)(uintptr_t)code;
}

JITK_API void jitk_function_free(jitk_fn function)
{
    jk_exec_free((void *)(uintptr_t)function);
}

JK_SMALL_CLOSE
