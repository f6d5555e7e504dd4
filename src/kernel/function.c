/* kernel: jitk_function, a scalar function as a native function pointer. Its code is all there is of it: freeing needs
 * the address alone. */
#include "kernel.h"

JK_SMALL_OPEN

/* jk_lower has seen to it that there are scalars of one type only. */
JK_FUNC void *jk_function_make(const jk_program *p, size_t *arity, jk_arena *arena, jitk_error *e)
{
    jk_code code;
    void *made;
    if (jk_x64_compile(p, JK_ISA_FUNCTION, jk_cpu_has(&jk_settings_get()->cpu, JITK_ISA_AVX2), NULL, 0, arena, &code,
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
