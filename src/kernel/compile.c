/* kernel: text to a kernel. Temporary data stand in an arena that begins on the stack; the kernel itself is one block
 * of memory and its code pages. */
#include "kernel.h"

JK_SMALL_OPEN

/* Large enough for all of a small kernel's compilation, small enough for a thread's stack of 64 KiB. */
#define JK_COMPILE_STACK 20480

/* ---- a source and its options ---- */

/* What is wrong with options whose isa this machine has and whose flags are known; NULL: nothing. */
JK_NOINLINE const char *jk_options_refused(const jitk_options *o)
{
    size_t i, rest = 0;
    for (i = 0; i < sizeof o->reserved / sizeof o->reserved[0]; i++)
        rest |= o->reserved[i];
    return o->flags & (JITK_COMPENSATED | JITK_EXACT) ? "this version has no JITK_COMPENSATED and JITK_EXACT"
           : o->symbols || o->symbol_count            ? "this version takes no options.symbols"
           : rest                                     ? "options.reserved must be zero"
                                                      : NULL;
}

JK_FUNC jitk_status jk_options_read(jk_request *r, const jitk_options *o, const jk_cpu *cpu, jitk_error *e)
{
    const unsigned known = JITK_STRICT | JITK_CONTRACT | JITK_COMPENSATED | JITK_EXACT;
    const char *refused;
    if (o->type != JITK_F64 && o->type != JITK_F32)
        return jk_refuse(e, JITK_ERR_ARGS, "options.type must be JITK_F64 or JITK_F32");
    if ((unsigned)o->isa > JITK_ISA_AVX512)
        return jk_refuse(e, JITK_ERR_ARGS, "options.isa is none of JITK_ISA_...");
    if (o->isa != JITK_ISA_AUTO) {
        r->isa = o->isa;
        if (!jk_cpu_has(cpu, o->isa))
            return jk_fail(e, JITK_ERR_UNSUPPORTED, "this machine has no %s; JITK_ISA_AUTO takes its best (%s)",
                           jk_isa_name(o->isa), jk_isa_name(jk_cpu_best(cpu)));
    }
    if ((~o->flags & (JITK_STRICT | JITK_CONTRACT)) == 0)
        return jk_refuse(e, JITK_ERR_ARGS, "JITK_STRICT and JITK_CONTRACT exclude each other");
    if (o->flags & ~known)
        return jk_fail(e, JITK_ERR_UNSUPPORTED, "options.flags has unknown bits: 0x%x", o->flags & ~known);
    refused = jk_options_refused(o);
    if (refused)
        return jk_refuse(e, JITK_ERR_UNSUPPORTED, refused);
    r->lower.type = (jk_type)o->type;
    r->lower.flags = o->flags;
    r->lower.entry = o->entry;
    return JITK_OK;
}

JK_FUNC jitk_status jk_request_read(jk_request *r, const char *source, const jitk_options *o, jitk_error *e)
{
    const jk_settings *s = jk_settings_get();
    memset(r, 0, sizeof *r);
    if (!source)
        return jk_refuse(e, JITK_ERR_ARGS, "the source is NULL");
    r->source = source;
    r->len = strlen(source);
    r->isa = s->info.isa;
    return o ? jk_options_read(r, o, &s->cpu, e) : JITK_OK;
}

/* Which arguments' types the source names, a bit each. */
JK_FUNC uint64_t jk_named_types(const jitk_ast *ast)
{
    const jk_def *def = &ast->defs[ast->ndefs - 1];
    uint64_t named = 0;
    uint32_t i;
    for (i = 0; i < def->nparams + def->nresults && i < 64; i++) {
        unsigned type = i < def->nparams ? def->params[i].type : def->results[i - def->nparams].type;
        named |= (uint64_t)(type != JK_TYPE_NONE) << i;
    }
    return named;
}

JK_FUNC void jk_request_type(jk_request *r)
{
    size_t i;
    for (i = 0; r->args && i < r->nargs && i < 64; i++) {
        unsigned type = r->args[i].tag & ~(unsigned)JK_TAG_CONST;
        if (type <= JITK_F32 && !(r->named >> i & 1)) {
            r->lower.type = (jk_type)type;
            return;
        }
    }
}

/* ---- the block: everything that pointers of the kernel and of its stages lead to ---- */

/* An array that a struct points to: where in it the pointer stands, and where the number of elements. */
typedef struct jk_part {
    uint16_t pointer, count, nbytes; /* nbytes: of an element */
} jk_part;
#define JK_PART(of, pointer, count, item)                                             \
    {                                                                                 \
        (uint16_t) offsetof(of, pointer), (uint16_t)offsetof(of, count), sizeof(item) \
    }

static const jk_part jk_kernel_parts[] = {
    /* found by jk_kernel_derive */
    JK_PART(jitk_kernel, in, program.nargs, jk_scalar_in),
    JK_PART(jitk_kernel, out, program.nargs, jk_scalar_out),
    JK_PART(jitk_kernel, red, nred, jk_op),
    JK_PART(jitk_kernel, quick, ncode, jk_quick),
    JK_PART(jitk_kernel, start, ncode, uintptr_t),
    JK_PART(jitk_kernel, find, ncode, jk_find_fn *),
    JK_PART(jitk_kernel, finds, nfind, jk_find_fn),
    /* copied */
    JK_PART(jitk_kernel, program.ins, program.nins, jk_ins),
    JK_PART(jitk_kernel, program.cell, program.nins, uint32_t),
    JK_PART(jitk_kernel, program.varying, program.nins, uint8_t),
    JK_PART(jitk_kernel, program.rares, program.nrares, jk_rare),
    JK_PART(jitk_kernel, program.stages, program.nstages, jk_stage),
    JK_PART(jitk_kernel, program.args, program.nargs, jk_param_info),
};
enum { JK_PARTS_DERIVED = 7, JK_PARTS = sizeof jk_kernel_parts / sizeof jk_kernel_parts[0] };
static const jk_part jk_stage_parts[] = {
    JK_PART(jk_stage, order, norder, jk_ref),
    JK_PART(jk_stage, red, nred, jk_ref),
    JK_PART(jk_stage, step, nstep, jk_step),
};

/* Lays the parts into the block from `at` on, copies of what the pointers lead to, and turns the pointers to them.
 * Without a block it measures. Returns where they end. */
JK_FUNC size_t jk_lay(void *of, const jk_part *part, uint32_t nparts, char *block, size_t at)
{
    for (; nparts > 0; nparts--, part++) {
        char *pointer = (char *)of + part->pointer;
        uint32_t count;
        size_t nbytes;
        memcpy(&count, (char *)of + part->count, sizeof count);
        nbytes = (size_t)count * part->nbytes;
        if (block) {
            void *from, *to = block + at;
            memcpy(&from, pointer, sizeof from);
            if (from)
                memcpy(to, from, nbytes);
            memcpy(pointer, &to, sizeof to);
        }
        at += JK_ALIGN_UP(nbytes, 8);
    }
    return at;
}

JK_FUNC size_t jk_kernel_lay(jitk_kernel *k, char *block)
{
    const jk_program *p = &k->program;
    size_t at = jk_lay(k, jk_kernel_parts, JK_PARTS, block, sizeof *k);
    uint32_t i;
    for (i = 0; i < p->nstages; i++) { /* with machine code without the interpreter's steps */
        jk_stage *s = (jk_stage *)(uintptr_t)&p->stages[i];
        if (block && k->ncode)
            s->nstep = 0;
        at = jk_lay(s, jk_stage_parts, k->ncode ? 2 : 3, block, at);
    }
    for (i = 0; i < p->nargs; i++) {
        const char *name = p->args[i].name;
        size_t nbytes = strlen(name) + 1;
        if (block)
            ((jk_param_info *)(uintptr_t)p->args)[i].name = (char *)memcpy(block + at, name, nbytes);
        at += nbytes;
    }
    return at;
}

/* ---- what the driver wants to know of a program ---- */

JK_FUNC void jk_derive_args(jitk_kernel *k)
{
    const jk_program *p = &k->program;
    size_t element = jk_type_size((jk_type)p->type);
    uint32_t i;
    for (i = 0; i < p->nins; i++)
        if (p->ins[i].op == JK_PARAM && p->cell[i] != JK_NOCELL) {
            jk_scalar_in *in = &k->in[k->nin++];
            in->arg = p->ins[i].a;
            in->cell = p->cell[i];
            in->type = p->args[in->arg].type;
        }
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        if (a->is_array) {
            element = JK_LARGER(element, jk_type_size((jk_type)a->type));
            k->npacked += a->type != p->type;
        } else if (a->is_result) {
            const jk_ins *value = &p->ins[a->value];
            jk_scalar_out *out = &k->out[k->nout++];
            out->arg = i;
            out->cell = value->op == JK_LENGTH ? p->ncells : p->cell[a->value]; /* the driver's own cell has n */
            out->constant = value->op == JK_CONST ? jk_ir_const_bits(value) : 0;
            out->type = a->type;
            out->from = value->type;
        }
    }
    k->max_n = (size_t)PTRDIFF_MAX / element;
}

JK_NOINLINE uintptr_t jk_code_address(const jitk_kernel *k, size_t offset)
{
    return offset == JK_NOCODE ? 0 : (uintptr_t)k->exec.code + offset;
}

/* Entry points, now that the code has its address. */
JK_FUNC void jk_derive_stages(jitk_kernel *k, const jk_code *c)
{
    const jk_program *p = &k->program;
    uint32_t i, j, nred = 0;
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *s = &p->stages[i];
        k->max_red = JK_LARGER(k->max_red, s->nred);
        if (c) {
            jk_quick *quick = &k->quick[k->nquick];
            uintptr_t start = jk_code_address(k, c->stage[i]);
            k->start[i] = start;
            k->find[i] = &k->finds[nred];
            quick->uniform = NULL;
            quick->pass = NULL;
            if (s->is_pass)
                quick->pass = (jk_pass_fn)start;
            else
                quick->uniform = (jk_uniform_fn)start;
            quick->stage = i;
            quick->nred = s->nred;
            k->nquick += start != 0;
        }
        for (j = 0; j < s->nred; j++, nred++) {
            k->red[nred] = (jk_op)p->ins[s->red[j]].op;
            if (k->red[nred] == JK_RARGMIN && c)
                k->finds[nred] = (jk_find_fn)jk_code_address(k, c->find[i][j]);
        }
    }
}

/* Whether the kernel is one pass whose reductions are the results, all of them, as they are or, double sums and
 * products, rounded to f32 as they are stored: what stands behind the pass, if anything, only rounds them. */
JK_FUNC bool jk_is_direct(const jitk_kernel *k)
{
    const jk_program *p = &k->program;
    const jk_param_info *result = p->args + p->nparams, *end = p->args + p->nargs;
    const jk_ref *red;
    if (!k->nquick || k->quick->nred == 0 || k->quick->nred != (size_t)(end - result))
        return false;
    for (red = p->stages[k->quick->stage].red; result < end; result++, red++) {
        const jk_ins *value = &p->ins[result->value];
        if (result->is_array || result->type > JK_F32 || p->ins[*red].op == JK_RARGMIN)
            return false;
        if (result->value != *red &&
            (value->op != JK_CVT || value->type != JK_F32 || result->type != JK_F32 || value->a != *red))
            return false;
    }
    return true;
}

/* The parts have their places. */
JK_FUNC void jk_kernel_derive(jitk_kernel *k, const jk_code *c)
{
    jk_derive_args(k);
    jk_derive_stages(k, c);
    k->frame_bytes = c ? c->frame_bytes : jk_interp_frame(&k->program);
    k->rest = c ? c->rest : 0;
    if (!c || !jk_quick_fits(k))
        k->nquick = 0;
    k->chunk = jk_chunk_of(jk_type_size((jk_type)k->program.type));
    k->direct = jk_is_direct(k);
    k->one = jk_is_one_pass(k);
    k->short_n = k->nquick > 0 && k->npacked == 0 ? k->chunk : 0;
    k->scratch_bytes = jk_run_bytes(k);
    k->slow = k->call = jk_call_slow;
    if (k->one && k->short_n && c->call)
        k->call = (jk_call_fn)((uintptr_t)k->exec.code + c->call);
}

/* A kernel with what the program and the code say before there is a place for more. */
JK_FUNC void jk_kernel_begin(jitk_kernel *k, const jk_program *p)
{
    uint32_t i;
    memset(k, 0, sizeof *k);
    k->program = *p;
    for (i = 0; i < p->nstages; i++)
        k->nred += p->stages[i].nred;
}

JK_FUNC size_t jk_kernel_interpret(jitk_kernel *k, const jk_program *p, uint64_t *block)
{
    size_t nbytes;
    jk_kernel_begin(k, p);
    nbytes = jk_lay(k, jk_kernel_parts, JK_PARTS_DERIVED, (char *)block, 0);
    jk_kernel_derive(k, NULL);
    return nbytes;
}

JK_FUNC jitk_kernel *jk_kernel_make(const jk_program *p, jitk_isa isa, jk_arena *arena, jitk_error *e)
{
    jk_code code;
    jitk_kernel first, *k;
    jk_kernel_begin(&first, p);
    first.isa = JITK_ISA_INTERP;
    if (isa != JITK_ISA_INTERP) {
        if (jk_x64_compile(p, isa, jk_cpu_has(&jk_settings_get()->cpu, JITK_ISA_AVX2), NULL, 0, arena, &code, e) !=
            JITK_OK)
            return NULL;
        first.exec = jk_exec_publish(code.bytes, code.nbytes);
        if (first.exec.code) {
            first.isa = isa;
            first.ncode = p->nstages;
            first.nfind = first.nred;
        }
    }
    first.nbytes = jk_kernel_lay(&first, NULL);
    k = (jitk_kernel *)jk_quiet_malloc(first.nbytes, e);
    if (!k) {
        jk_exec_free(first.exec.code);
        return NULL;
    }
    *k = first;
    jk_kernel_lay(k, (char *)k);
    jk_kernel_derive(k, k->ncode ? &code : NULL);
    return k;
}

/* Text to tree and tree to kernel or function, with the stack for the temporary data of both. */
JK_NOINLINE void *jk_compile_text(jk_request *r, jitk_error *e)
{
    char first[JK_COMPILE_STACK];
    int saved = errno; /* malloc may set it */
    jitk_ast ast;
    jk_arena arena;
    jk_program p;
    void *made = NULL;
    jk_arena_init(&arena, first + JK_COMPILE_STACK / 4, JK_COMPILE_STACK - JK_COMPILE_STACK / 4);
    if (jk_parse(&ast, r->source, r->len, first, JK_COMPILE_STACK / 4, e) == JITK_OK) {
        r->named = jk_named_types(&ast);
        jk_request_type(r);
        if (jk_lower(&ast, &r->lower, &arena, &p, e) == JITK_OK)
            made = r->lower.scalar ? jk_function_make(&p, &r->arity, &arena, e) : jk_kernel_make(&p, r->isa, &arena, e);
    }
    jk_arena_free(&ast.arena);
    jk_arena_free(&arena);
    errno = saved;
    return made;
}

JK_NOINLINE jitk_kernel *jk_compile_kernel(jk_request *r, jitk_error *e)
{
    jitk_kernel *k = (jitk_kernel *)jk_compile_text(r, e);
    if (k)
        jk_kernel_announce(k);
    return k;
}

JITK_API jitk_kernel *jitk_compile(const char *source, const jitk_options *options, jitk_error *error)
{
    jk_session s;
    jk_request r;
    jitk_kernel *k = NULL;
    jk_begin(&s);
    if (jk_request_read(&r, source, options, &s.e) == JITK_OK)
        k = jk_compile_kernel(&r, &s.e);
    jk_end(&s, error);
    return k;
}

JK_NOINLINE void jk_kernel_free(jitk_kernel *k)
{
    if (k)
        jk_exec_free(k->exec.code);
    JK_FREE(k);
}

JITK_API void jitk_free(jitk_kernel *kernel)
{
    jk_kernel_free(kernel);
}

JK_SMALL_CLOSE
#undef JK_COMPILE_STACK
#undef JK_PART
