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
    if (!kernel || !info)
        jk_fail(&e, JITK_ERR_ARGS, 0, 0, 0, kernel ? "the place for the answer is NULL" : "the kernel is NULL");
    else if (i >= kernel->program.nargs)
        jk_fail(&e, JITK_ERR_ARGS, 0, 0, 0, "argument number %zu of %u, counted from 0", i,
                (unsigned)kernel->program.nargs);
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
    jitk_error e;
    if (!error || !out || error->status == JITK_OK)
        return;
    e = *error;
    if (!source)
        e.line = 0;
    jk_error_print_caret(&e, source, source ? strlen(source) : 0, out);
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
    const jk_settings *s = jk_settings_get();
    if (!info)
        return;
    memset(info, 0, sizeof *info);
    info->version = JITK_VERSION;
    memcpy(info->cpu, s->cpu.brand, sizeof info->cpu);
    info->best = jk_cpu_best(&s->cpu);
    info->isa = s->isa;
    info->isa_name = jk_isa_name(s->isa);
    info->can_execute = jk_exec_possible();
    info->l1d = s->cpu.l1d;
    info->l2 = s->cpu.l2;
    info->l3 = s->cpu.l3;
    info->cores = jk_count_cores();
    info->threads = 1;
    info->dump = s->dump;
    jk_cache_count(info);
}

/* ---- dumps ---- */

/* Notes the arrays that instruction r reads. */
JK_FUNC void jk_plan_reads(const jk_program *p, jk_ref r, uint8_t *read)
{
    jk_ref x[4];
    unsigned n = jk_ins_operands(p, r, x);
    while (n-- > 0)
        if (p->ins[x[n]].op == JK_LOAD)
            read[p->ins[x[n]].a] = 1;
}

/* One stage's arrays and operations; a rare body is not counted, for hardly any element runs it. */
JK_FUNC void jk_plan_stage_print(const jk_program *p, const jk_stage *s, uint8_t *read, FILE *out)
{
    size_t loaded = 0, stored = 0, streams = 0;
    uint32_t i;
    memset(read, 0, p->nargs);
    for (i = 0; i < s->norder; i++)
        jk_plan_reads(p, s->order[i], read);
    for (i = 0; i < s->nred; i++)
        jk_plan_reads(p, s->red[i], read);
    for (i = 0; s->stores && i < p->nargs; i++)
        if (p->args[i].is_result && p->args[i].is_array) {
            const jk_ins *value = &p->ins[p->args[i].value];
            stored += jk_type_size((jk_type)p->args[i].type);
            streams++;
            if (value->op == JK_LOAD)
                read[value->a] = 1;
        }
    for (i = 0; i < p->nargs; i++)
        if (read[i]) {
            loaded += jk_type_size((jk_type)p->args[i].type);
            streams++;
        }
    fprintf(out, "%u reductions, %zu streams, %zu bytes read and %zu written an element, %u operations an element\n",
            (unsigned)s->nred, streams, loaded, stored, (unsigned)(s->norder + s->nred));
}

JK_FUNC void jk_dump_plan(const jitk_kernel *k, uint8_t *read, FILE *out)
{
    const jk_program *p = &k->program;
    uint32_t i;
    fprintf(out, "plan: %s, %s, %u instructions, %zu bytes of code pages\n", jk_type_name((jk_type)p->type),
            jk_isa_name(k->isa), (unsigned)p->nins, k->exec.nbytes);
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *s = &p->stages[i];
        if (s->is_pass) {
            fprintf(out, "  pass %u: ", (unsigned)i);
            jk_plan_stage_print(p, s, read, out);
        } else if (s->norder) {
            fprintf(out, "  uniform %u: %u operations\n", (unsigned)i, (unsigned)s->norder);
        }
    }
}

/* Code is made again, with a listing at the place where the kernel's own stands: same program, same bytes. */
JK_FUNC jitk_status jk_dump_asm(const jitk_kernel *k, jk_arena *arena, FILE *out, jitk_error *e)
{
    jk_code code;
    if (!k->exec.code) {
        fprintf(out, "; the interpreter runs this kernel: there is no machine code\n");
        return JITK_OK;
    }
    return jk_x64_compile(&k->program, k->isa, jk_settings_get()->cpu.avx2, out, (uint64_t)(uintptr_t)k->exec.code,
                          arena, &code, e);
}

JK_FUNC jitk_status jk_dump_all(const jitk_kernel *k, unsigned what, FILE *out, jitk_error *e)
{
    jk_arena arena;
    uint8_t *read;
    jk_arena_init(&arena, NULL, 0);
    read = (uint8_t *)jk_arena_alloc(&arena, k->program.nargs + 1);
    if (!read)
        jk_fail_nomem(e);
    if (read && (what & JITK_DUMP_IR))
        jk_ir_print(&k->program, out);
    if (read && (what & JITK_DUMP_PLAN))
        jk_dump_plan(k, read, out);
    if (read && (what & JITK_DUMP_ASM))
        jk_dump_asm(k, &arena, out, e);
    jk_arena_free(&arena);
    return e->status;
}

JITK_API jitk_status jitk_dump(const jitk_kernel *kernel, unsigned what, FILE *out)
{
    const unsigned known = JITK_DUMP_IR | JITK_DUMP_ASM | JITK_DUMP_PLAN;
    uint32_t mode = jk_fp_enter();
    jitk_error e;
    e.status = JITK_OK;
    if (!kernel || !out || !what || (what & ~known))
        jk_fail(&e, JITK_ERR_ARGS, 0, 0, 0, "jitk_dump takes a kernel, some of JITK_DUMP_IR, _ASM, _PLAN, and a file");
    else
        jk_dump_all(kernel, what, out, &e);
    jk_report(&e, NULL);
    jk_fp_leave(mode);
    return e.status;
}

JK_FUNC void jk_kernel_announce(const jitk_kernel *k)
{
    unsigned what = jk_settings_get()->dump;
    jitk_error e;
    e.status = JITK_OK;
    if (what)
        jk_dump_all(k, what, stderr, &e);
}

JK_SMALL_CLOSE
