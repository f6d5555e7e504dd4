/* kernel: text to a kernel. Temporary data stand in an arena that begins on the stack; the kernel itself is one block
 * of memory and its code pages. */
#include "kernel.h"

JK_SMALL_OPEN

/* Large enough for all of a small kernel's compilation, small enough for a thread's stack of 64 KiB. */
#define JK_COMPILE_STACK 20480

JK_FUNC jitk_status jk_options_check(const jitk_options *o, jitk_isa *isa, jitk_error *e)
{
    const jk_settings *s = jk_settings_get();
    const unsigned known = JITK_STRICT | JITK_CONTRACT | JITK_COMPENSATED | JITK_EXACT;
    size_t i;
    *isa = s->isa;
    if (!o)
        return JITK_OK;
    if (o->type != JITK_F64 && o->type != JITK_F32)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "options.type must be JITK_F64 or JITK_F32");
    if ((unsigned)o->isa > JITK_ISA_AVX512)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "options.isa is none of JITK_ISA_...");
    if (o->isa != JITK_ISA_AUTO && !jk_cpu_has(&s->cpu, o->isa))
        return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "this machine has no %s; JITK_ISA_AUTO takes its best (%s)",
                       jk_isa_name(o->isa), jk_isa_name(jk_cpu_best(&s->cpu)));
    if ((o->flags & JITK_STRICT) && (o->flags & JITK_CONTRACT))
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "JITK_STRICT and JITK_CONTRACT exclude each other");
    if (o->flags & ~known)
        return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "options.flags has unknown bits: 0x%x", o->flags & ~known);
    if (o->flags & (JITK_COMPENSATED | JITK_EXACT))
        return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "this version has no JITK_COMPENSATED and JITK_EXACT");
    if (o->symbols || o->symbol_count)
        return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "this version takes no options.symbols");
    for (i = 0; i < sizeof o->reserved / sizeof o->reserved[0]; i++)
        if (o->reserved[i])
            return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "options.reserved must be zero");
    if (o->isa != JITK_ISA_AUTO)
        *isa = o->isa;
    return JITK_OK;
}

/* ---- the block: laid out twice by the same code, first to measure (base is NULL), then to fill ---- */
typedef struct jk_layout {
    char *base;
    size_t at;
} jk_layout;

/* The next nbytes, copied from `from` where that is not NULL. */
JK_FUNC void *jk_lay(jk_layout *l, const void *from, size_t nbytes)
{
    char *p = l->base ? l->base + l->at : NULL;
    l->at += JK_ALIGN_UP(nbytes, 8);
    if (p && from && nbytes)
        memcpy(p, from, nbytes);
    return p;
}

JK_FUNC void jk_lay_stages(jk_layout *l, const jk_program *p, bool steps, jk_program *out)
{
    jk_stage *s = (jk_stage *)jk_lay(l, p->stages, p->nstages * sizeof *s);
    uint32_t i;
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *from = &p->stages[i];
        void *order = jk_lay(l, from->order, from->norder * sizeof *from->order);
        void *red = jk_lay(l, from->red, from->nred * sizeof *from->red);
        void *step = steps ? jk_lay(l, from->step, from->nstep * sizeof *from->step) : NULL;
        if (s) {
            s[i].order = (const jk_ref *)order;
            s[i].red = (const jk_ref *)red;
            s[i].step = (const jk_step *)step;
            s[i].nstep = step ? from->nstep : 0;
        }
    }
    out->stages = s;
}

JK_FUNC void jk_lay_program(jk_layout *l, const jk_program *p, bool steps, jk_program *out)
{
    jk_param_info *args = (jk_param_info *)jk_lay(l, p->args, p->nargs * sizeof *args);
    uint32_t i;
    *out = *p;
    out->args = args;
    out->ins = (const jk_ins *)jk_lay(l, p->ins, p->nins * sizeof *p->ins);
    out->cell = (const uint32_t *)jk_lay(l, p->cell, p->nins * sizeof *p->cell);
    out->varying = (const uint8_t *)jk_lay(l, p->varying, p->nins);
    out->rares = (const jk_rare *)jk_lay(l, p->rares, p->nrares * sizeof *p->rares);
    jk_lay_stages(l, p, steps, out);
    for (i = 0; i < p->nargs; i++) {
        const char *name = p->args[i].name ? p->args[i].name : "";
        char *copy = (char *)jk_lay(l, name, strlen(name) + 1);
        if (args)
            args[i].name = copy;
    }
}

/* Entry points, once the code has its address. */
JK_FUNC void jk_lay_code(jk_layout *l, const jk_program *p, const jk_code *c, jitk_kernel *k)
{
    jk_uniform_fn *uniform = (jk_uniform_fn *)jk_lay(l, NULL, p->nstages * sizeof *uniform);
    jk_pass_fn *pass = (jk_pass_fn *)jk_lay(l, NULL, p->nstages * sizeof *pass);
    const jk_find_fn **find = (const jk_find_fn **)jk_lay(l, NULL, p->nstages * sizeof *find);
    uintptr_t base = k ? (uintptr_t)k->exec.code : 0;
    uint32_t i, j;
    for (i = 0; i < p->nstages; i++) {
        uint32_t nfind = c->find && c->find[i] ? p->stages[i].nred : 0;
        jk_find_fn *f = (jk_find_fn *)jk_lay(l, NULL, nfind * sizeof *f);
        if (!k)
            continue;
        uniform[i] = c->stage[i] == JK_NOCODE || p->stages[i].is_pass ? NULL : (jk_uniform_fn)(base + c->stage[i]);
        pass[i] = c->stage[i] == JK_NOCODE || !p->stages[i].is_pass ? NULL : (jk_pass_fn)(base + c->stage[i]);
        find[i] = nfind ? f : NULL;
        for (j = 0; j < nfind; j++)
            f[j] = c->find[i][j] == JK_NOCODE ? NULL : (jk_find_fn)(base + c->find[i][j]);
    }
    if (k) {
        k->uniform = uniform;
        k->pass = pass;
        k->find = find;
    }
}

/* The interpreter's kernel has no code, c is NULL. A measuring run has no k. */
JK_FUNC size_t jk_lay_kernel(jitk_kernel *k, const jk_program *p, const jk_code *c)
{
    jk_layout l;
    jk_program program;
    void *block;
    l.base = (char *)k;
    l.at = 0;
    jk_lay(&l, NULL, sizeof *k);
    jk_lay_program(&l, p, !c, &program);
    block = jk_lay(&l, NULL, jk_measure_bytes(p));
    if (c)
        jk_lay_code(&l, p, c, k);
    if (k) {
        k->program = program;
        k->frame_bytes = c ? c->frame_bytes : jk_interp_frame(p);
        k->tail_rows = c && c->tail_rows;
        jk_kernel_measure(k, block);
    }
    return l.at;
}

JK_FUNC size_t jk_measure_bytes(const jk_program *p)
{
    size_t nred = 0, i;
    for (i = 0; i < p->nstages; i++)
        nred += p->stages[i].nred;
    return p->nstages * sizeof(jk_quick) + (p->nargs - p->nparams) * sizeof(jk_scalar_out) +
           p->nparams * sizeof(jk_scalar_in) + nred * sizeof(jk_op);
}

JK_FUNC void jk_measure_scalars(jitk_kernel *k, jk_scalar_in *in, jk_scalar_out *out)
{
    const jk_program *p = &k->program;
    uint32_t i;
    k->in = in;
    k->out = out;
    for (i = 0; i < p->nins; i++)
        if (p->ins[i].op == JK_PARAM && p->cell[i] != JK_NOCELL) {
            in[k->nin].arg = p->ins[i].a;
            in[k->nin].cell = p->cell[i];
            in[k->nin++].type = p->args[p->ins[i].a].type;
        }
    for (i = p->nparams; i < p->nargs; i++) {
        jk_ref value = p->args[i].value;
        jk_scalar_out *o = &out[k->nout];
        if (p->args[i].is_array)
            continue;
        o->arg = i;
        o->cell = p->ins[value].op == JK_LENGTH ? p->ncells : p->cell[value]; /* the driver's own cell has n */
        o->constant = p->ins[value].op == JK_CONST ? jk_ir_const_bits(&p->ins[value]) : 0;
        o->type = p->args[i].type;
        o->from = p->ins[value].type;
        k->nout++;
    }
}

/* Whether a result is a reduction as it is, or a double sum or product that is rounded to f32 as it is stored. */
JK_FUNC bool jk_is_node(const jk_program *p, jk_ref value, jk_type type, jk_ref red)
{
    const jk_ins *i = &p->ins[value];
    if (p->ins[red].op == JK_RARGMIN || type > JK_F32)
        return false;
    return value == red || (i->op == JK_CVT && i->type == JK_F32 && type == JK_F32 && i->a == red);
}

/* Whether the kernel is one pass whose reductions are the results, all of them: what stands behind it, if anything,
 * only rounds them. */
JK_FUNC bool jk_is_direct(const jitk_kernel *k)
{
    const jk_program *p = &k->program;
    const jk_stage *s = k->nquick ? &p->stages[k->quick[0].stage] : NULL;
    uint32_t i;
    if (!s || s->nred == 0 || s->nred != p->nargs - p->nparams)
        return false;
    for (i = 0; i < s->nred; i++) {
        const jk_param_info *result = &p->args[p->nparams + i];
        if (result->is_array || !jk_is_node(p, result->value, (jk_type)result->type, s->red[i]))
            return false;
    }
    return true;
}

JK_FUNC void jk_measure_quick(jitk_kernel *k, jk_quick *quick)
{
    uint32_t i;
    k->quick = quick;
    for (i = 0; jk_quick_fits(k) && i < k->program.nstages; i++)
        if (k->uniform[i] || k->pass[i]) {
            quick[k->nquick].uniform = k->uniform[i];
            quick[k->nquick].pass = k->pass[i];
            quick[k->nquick].stage = i;
            quick[k->nquick++].nred = k->program.stages[i].nred;
        }
    k->direct = jk_is_direct(k);
    k->one = k->direct && k->nout == 1 && !k->nin;
}

JK_FUNC void jk_kernel_measure(jitk_kernel *k, void *block)
{
    const jk_program *p = &k->program;
    jk_quick *quick = (jk_quick *)block;
    jk_scalar_out *out = (jk_scalar_out *)(quick + p->nstages);
    jk_scalar_in *in = (jk_scalar_in *)(out + (p->nargs - p->nparams));
    jk_op *red = (jk_op *)(in + p->nparams);
    size_t element = jk_type_size((jk_type)p->type);
    uint32_t i, j;
    jk_measure_scalars(k, in, out);
    k->red = red;
    for (i = 0; i < p->nargs; i++)
        if (p->args[i].is_array) {
            element = JK_LARGER(element, jk_type_size((jk_type)p->args[i].type));
            k->npacked += p->args[i].type != p->type;
        }
    for (i = 0; i < p->nstages; i++) {
        k->max_red = JK_LARGER(k->max_red, p->stages[i].nred);
        for (j = 0; j < p->stages[i].nred; j++)
            *red++ = (jk_op)p->ins[p->stages[i].red[j]].op;
    }
    k->max_n = (size_t)PTRDIFF_MAX / element;
    jk_measure_quick(k, quick);
    k->scratch_bytes = jk_run_bytes(k);
}

JK_FUNC jitk_kernel *jk_kernel_make(const jk_program *p, jitk_isa isa, jk_arena *arena, jitk_error *e)
{
    jk_code code;
    jk_exec x;
    jitk_kernel *k;
    size_t nbytes;
    x.code = NULL;
    x.nbytes = 0;
    if (isa != JITK_ISA_INTERP) {
        jitk_error refused;
        refused.status = JITK_OK;
        if (jk_x64_compile(p, isa, jk_settings_get()->cpu.avx2, NULL, 0, arena, &code, e) != JITK_OK)
            return NULL;
        if (jk_exec_publish(code.bytes, code.nbytes, &x, &refused) != JITK_OK)
            isa = JITK_ISA_INTERP;
    }
    nbytes = jk_lay_kernel(NULL, p, x.code ? &code : NULL);
    k = (jitk_kernel *)JK_MALLOC(nbytes);
    if (!k) {
        jk_exec_free(x.code);
        jk_fail_nomem(e);
        return NULL;
    }
    memset(k, 0, sizeof *k);
    k->isa = isa;
    k->exec = x;
    k->nbytes = nbytes;
    jk_lay_kernel(k, p, x.code ? &code : NULL);
    return k;
}

JK_FUNC jitk_kernel *jk_kernel_of_ast(const jitk_ast *ast, const jitk_options *o, jitk_isa isa, jk_arena *arena,
                                      jitk_error *e)
{
    jk_lower_options lo;
    jk_program p;
    memset(&lo, 0, sizeof lo);
    lo.type = o && o->type == JITK_F32 ? JK_F32 : JK_F64;
    lo.flags = o ? o->flags : 0;
    lo.entry = o ? o->entry : NULL;
    if (jk_lower(ast, &lo, arena, &p, e) != JITK_OK)
        return NULL;
    return jk_kernel_make(&p, isa, arena, e);
}

JK_FUNC void jk_kernel_free(jitk_kernel *k)
{
    if (k)
        jk_exec_free(k->exec.code);
    JK_FREE(k);
}

/* Which arguments' types the source names, a bit each, and the type that jitk_eval compiles in: that of the first
 * pointer to double or float whose type it does not name. */
JK_FUNC uint64_t jk_named_types(const jitk_ast *ast)
{
    const jk_def *def = ast->ndefs ? &ast->defs[ast->ndefs - 1] : NULL;
    uint64_t named = 0;
    uint32_t i;
    if (!def || def->is_bare)
        return 0;
    for (i = 0; i < def->nparams && i < 64; i++)
        named |= (uint64_t)(def->params[i].type != JK_TYPE_NONE) << i;
    for (i = 0; i < def->nresults && def->nparams + i < 64; i++)
        named |= (uint64_t)(def->results[i].type != JK_TYPE_NONE) << (def->nparams + i);
    return named;
}

JK_FUNC jitk_type jk_eval_type(uint64_t named, size_t nargs, const jk_tagged *args)
{
    size_t i;
    for (i = 0; i < nargs && i < 64; i++) {
        unsigned type = args[i].tag & ~(unsigned)JK_TAG_CONST;
        if (type <= JITK_F32 && !(named >> i & 1))
            return (jitk_type)type;
    }
    return JITK_F64;
}

/* Text to tree and tree to kernel, with the stack for the temporary data of both. With `choice` it is jitk_eval that
 * compiles, and the type is found here. */
JK_NOINLINE jitk_kernel *jk_compile_text(const char *source, size_t len, const jitk_options *o, jitk_isa isa,
                                         jk_choice *choice, jitk_error *e)
{
    char first[JK_COMPILE_STACK];
    int saved = errno; /* malloc may set it */
    jitk_ast ast;
    jk_arena arena;
    jitk_kernel *k = NULL;
    jitk_options typed;
    jk_arena_init(&arena, first + JK_COMPILE_STACK / 4, JK_COMPILE_STACK - JK_COMPILE_STACK / 4);
    if (jk_parse(&ast, source, len, first, JK_COMPILE_STACK / 4, e) == JITK_OK) {
        if (choice) {
            memset(&typed, 0, sizeof typed);
            choice->named = jk_named_types(&ast);
            typed.type = choice->type = jk_eval_type(choice->named, choice->nargs, choice->args);
            o = &typed;
        }
        k = jk_kernel_of_ast(&ast, o, isa, &arena, e);
    }
    jk_arena_free(&ast.arena);
    jk_arena_free(&arena);
    errno = saved;
    return k;
}

JITK_API jitk_kernel *jitk_compile(const char *source, const jitk_options *options, jitk_error *error)
{
    uint32_t mode = jk_fp_enter();
    jitk_kernel *k = NULL;
    jitk_error e;
    jitk_isa isa;
    e.status = JITK_OK;
    if (!source)
        jk_fail(&e, JITK_ERR_ARGS, 0, 0, 0, "the source is NULL");
    else if (jk_options_check(options, &isa, &e) == JITK_OK)
        k = jk_compile_text(source, strlen(source), options, isa, NULL, &e);
    jk_report(&e, error);
    if (k)
        jk_kernel_announce(k);
    jk_fp_leave(mode);
    return k;
}

JITK_API void jitk_free(jitk_kernel *kernel)
{
    jk_kernel_free(kernel);
}

JK_SMALL_CLOSE
#undef JK_COMPILE_STACK
