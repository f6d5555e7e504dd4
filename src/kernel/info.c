/* kernel: looking inside: signatures, errors, the machine, dumps of a kernel. */
#include "kernel.h"

JK_SMALL_OPEN

JITK_API size_t jitk_arg_count(const jitk_kernel *kernel)
{
    return kernel ? kernel->program.nargs : 0;
}

JITK_API jitk_status jitk_arg(const jitk_kernel *kernel, size_t i, jitk_arg_info *info)
{
    const jk_param_info *a;
    jitk_error e;
    e.status = JITK_OK;
    if (!kernel)
        jk_refuse(&e, JITK_ERR_ARGS, "the kernel is NULL");
    else if (!info)
        jk_refuse(&e, JITK_ERR_ARGS, "the place for the answer is NULL");
    else if (i >= kernel->program.nargs)
        jk_fail(&e, JITK_ERR_ARGS, "argument number %zu of %u, counted from 0", i, (unsigned)kernel->program.nargs);
    if (e.status != JITK_OK)
        return jk_report(&e, NULL);
    a = &kernel->program.args[i];
    info->name = a->name;
    info->type = (jitk_type)a->type;
    info->is_array = a->is_array;
    info->is_result = a->is_result;
    return JITK_OK;
}

/* ---- errors ---- */

JITK_API void jitk_error_print(const jitk_error *error, const char *source, FILE *out)
{
    if (error && out && error->status != JITK_OK)
        jk_error_print_caret(error, source, out);
}

/* ---- the machine ---- */

/* Processors in the affinity mask. */
JK_FUNC size_t jk_count_cores(void)
{
#if JK_NATIVE
    enum { JK_SYS_SCHED_GETAFFINITY = 204 };
    unsigned char mask[1024];
    long got = JK_SYSCALL(JK_SYS_SCHED_GETAFFINITY, 0, (long)sizeof mask, (long)mask, 0, 0, 0), i;
    size_t cores = 0;
    unsigned m;
    for (i = 0; i < got; i++)
        for (m = mask[i]; m; m &= m - 1)
            cores++;
    return cores ? cores : 1;
#else
    return 1;
#endif
}

JITK_API void jitk_info(jitk_info_t *info)
{
    if (!info)
        return;
    *info = jk_settings_get()->info;
    info->can_execute = jk_exec_possible();
    info->cores = jk_count_cores();
    jk_cache_count(info);
}

/* ---- dumps ---- */

/* Whether a stage reads an array: an operand of its instructions is loaded from it, or a result that it stores. */
JK_FUNC bool jk_stage_reads(const jk_program *p, const jk_stage *s, uint32_t arg)
{
    uint32_t i, of = s->norder + s->nred, all = of + (s->stores ? p->nargs : 0);
    for (i = 0; i < all; i++) {
        jk_ref x[4];
        unsigned n = 0;
        if (i < of)
            n = jk_ins_operands(p, i < s->norder ? s->order[i] : s->red[i - s->norder], x);
        else if (p->args[i - of].is_result && p->args[i - of].is_array)
            x[n++] = p->args[i - of].value;
        while (n-- > 0)
            if (p->ins[x[n]].op == JK_LOAD && p->ins[x[n]].a == arg)
                return true;
    }
    return false;
}

/* One pass's arrays and operations; a rare body is not counted, for hardly any element runs it. */
JK_FUNC void jk_plan_pass_print(const jk_program *p, uint32_t number, FILE *out)
{
    const jk_stage *s = &p->stages[number];
    size_t nbytes[2] = {0, 0}, streams = 0; /* read, written */
    uint32_t i;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        if (a->is_result ? a->is_array && s->stores : jk_stage_reads(p, s, i)) {
            nbytes[a->is_result] += jk_type_size((jk_type)a->type);
            streams++;
        }
    }
    fprintf(
        out,
        "  pass %u: %u reductions, %zu streams, %zu bytes read and %zu written an element, %u operations an element\n",
        (unsigned)number, (unsigned)s->nred, streams, nbytes[0], nbytes[1], (unsigned)(s->norder + s->nred));
}

JK_FUNC void jk_dump_plan(const jitk_kernel *k, FILE *out)
{
    const jk_program *p = &k->program;
    uint32_t i;
    fprintf(out, "plan: %s, %s, %u instructions, %zu bytes of code pages\n", jk_type_name((jk_type)p->type),
            jk_isa_name(k->isa), (unsigned)p->nins, k->exec.nbytes);
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *s = &p->stages[i];
        if (s->is_pass)
            jk_plan_pass_print(p, i, out);
        else if (s->norder)
            fprintf(out, "  uniform %u: %u operations\n", (unsigned)i, (unsigned)s->norder);
    }
}

JK_NOINLINE void jk_dump_all(const jitk_kernel *k, unsigned what, FILE *out, jitk_error *e)
{
    if (what & JITK_DUMP_IR)
        jk_ir_print(&k->program, out);
    if (what & JITK_DUMP_PLAN)
        jk_dump_plan(k, out);
    /* Code is made again, with a listing at the place where the kernel's own stands: same program, same bytes. */
    if ((what & JITK_DUMP_ASM) && k->ncode) {
        jk_arena arena;
        jk_code code;
        jk_arena_init(&arena, NULL, 0);
        jk_x64_compile(&k->program, k->isa, jk_cpu_has(&jk_settings_get()->cpu, JITK_ISA_AVX2), out,
                       (uint64_t)(uintptr_t)k->exec.code, &arena, &code, e);
        jk_arena_free(&arena);
    } else if (what & JITK_DUMP_ASM) {
        fprintf(out, "; the interpreter runs this kernel: there is no machine code\n");
    }
}

JITK_API jitk_status jitk_dump(const jitk_kernel *kernel, unsigned what, FILE *out)
{
    const unsigned known = JITK_DUMP_IR | JITK_DUMP_ASM | JITK_DUMP_PLAN;
    jk_session s;
    jk_begin(&s);
    if (!kernel || !out || !what || (what & ~known))
        jk_refuse(&s.e, JITK_ERR_ARGS, "jitk_dump takes a kernel, some of JITK_DUMP_IR, _ASM, _PLAN, and a file");
    else
        jk_dump_all(kernel, what, out, &s.e);
    return jk_end(&s, NULL);
}

JK_FUNC void jk_kernel_announce(const jitk_kernel *k)
{
    unsigned what = jk_settings_get()->info.dump;
    jitk_error e;
    e.status = JITK_OK;
    if (what)
        jk_dump_all(k, what, stderr, &e);
}

JK_SMALL_CLOSE
