/* ir: looking. What one reads of a program, one line a value, stage by stage; leaves stand where they are used. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_ir_view {
    const jk_program *p;
    FILE *out;
    char text[80]; /* of the value asked for last: a name with its brackets is the longest */
} jk_ir_view;

/* The shortest of a few precisions that gives the same number back, with a point in any locale. */
JK_FUNC const char *jk_view_float(jk_ir_view *w, jk_type type, uint64_t bits)
{
    uint64_t size = bits & ~jk_kind_bits(JK_IS_MINUS_ZERO, type), back = ~size;
    double v = type == JK_F64 ? jk_f64_from_bits(bits) : (double)jk_f32_from_bits((uint32_t)bits);
    char *s = w->text, *comma;
    int digits;
    if (size > jk_kind_bits(JK_IS_INF, type))
        return "nan";
    for (digits = 6; digits < 18 && back != size; digits++) {
        snprintf(s, sizeof w->text, "%.*g", digits, v);
        comma = jk_find_char(s, ',');
        if (comma)
            *comma = '.';
        jk_number_read(s + (*s == '-'), type, &back); /* nothing of infinity, whose name it stays */
    }
    return s;
}

JK_NOINLINE const char *jk_view_value(jk_ir_view *w, jk_ref r)
{
    const jk_ins *i = &w->p->ins[r];
    uint64_t bits = jk_ir_const_bits(i);
    const char *format = "0x%llx";
    if (i->op == JK_PARAM || i->op == JK_LOAD) {
        snprintf(w->text, sizeof w->text, "%s%s", w->p->args[i->a].name, i->op == JK_LOAD ? "[]" : "");
        return w->text;
    }
    if (i->op == JK_LENGTH)
        return "length";
    if (i->op != JK_CONST) {
        bits = r;
        format = "%%%llu";
    } else if (jk_is_float((jk_type)i->type)) {
        return jk_view_float(w, (jk_type)i->type, bits);
    } else if (jk_is_mask((jk_type)i->type)) {
        return bits ? "true" : "false";
    }
    snprintf(w->text, sizeof w->text, format, (unsigned long long)bits);
    return w->text;
}

JK_NOINLINE void jk_print_ins(jk_ir_view *w, jk_ref r, const char *indent)
{
    const jk_ins *i = &w->p->ins[r];
    uint32_t k, n = jk_op_rows[i->op].arity;
    jk_ref operand[4];
    jk_ins_operands(w->p, r, operand);
    fprintf(w->out, "%s%%%u = %s.%s", indent, (unsigned)r, jk_op_name((jk_op)i->op), jk_type_name((jk_type)i->type));
    for (k = 0; k < n; k++)
        fprintf(w->out, k ? ", %s" : " %s", jk_view_value(w, operand[k]));
    if (i->op == JK_ISHL || i->op == JK_ISHR)
        fprintf(w->out, ", %u", (unsigned)i->aux);
    if (w->p->cell[r] != JK_NOCELL)
        fprintf(w->out, " -> cell %u", (unsigned)w->p->cell[r]);
    fputc('\n', w->out);
}

/* A rare body stands indented before its RARE; bodies in bodies are not told apart. */
JK_FUNC void jk_print_rare(jk_ir_view *w, jk_ref r)
{
    const jk_rare *x = &w->p->rares[w->p->ins[r].aux];
    jk_ref k;
    fprintf(w->out, "  rare %s:\n", jk_view_value(w, w->p->ins[r].a));
    for (k = x->first; k < r; k++)
        if (!(jk_op_rows[w->p->ins[k].op].flags & JK_LEAF))
            jk_print_ins(w, k, "    ");
    if (x->again != JK_NOREF)
        fprintf(w->out, "    again at most %u times while %s\n", (unsigned)x->limit, jk_view_value(w, x->again));
}

JK_NOINLINE void jk_print_arg(jk_ir_view *w, uint32_t k, const char *before)
{
    const jk_param_info *a = &w->p->args[k];
    fprintf(w->out, "%s%s%s: %s", before, a->name, a->is_array ? "[]" : "", jk_type_name((jk_type)a->type));
}

JK_FUNC void jk_print_stage(jk_ir_view *w, const jk_stage *s)
{
    uint32_t j;
    for (j = 0; j < s->norder + s->nred; j++) {
        jk_ref r = j < s->norder ? s->order[j] : s->red[j - s->norder];
        if (w->p->ins[r].op == JK_RARE)
            jk_print_rare(w, r);
        jk_print_ins(w, r, "  ");
    }
}

/* Empty uniform stages are left out, but for a last one that has scalar results to say. */
JK_FUNC void jk_ir_print(const jk_program *p, FILE *out)
{
    uint32_t k, j, scalars = 0;
    jk_ir_view w;
    w.p = p;
    w.out = out;
    fprintf(out, "%s (", jk_type_name((jk_type)p->type));
    for (k = 0; k < p->nparams; k++)
        jk_print_arg(&w, k, k ? ", " : "");
    fputs(")\n", out);
    for (; k < p->nargs; k++)
        scalars += !p->args[k].is_array;
    for (k = 0; k < p->nstages; k++) {
        const jk_stage *s = &p->stages[k];
        bool last = k + 1 == p->nstages && scalars;
        if (!s->is_pass && s->norder == 0 && !last)
            continue;
        fprintf(out, "%s %u:\n", s->is_pass ? "pass" : "uniform", (unsigned)k / 2);
        jk_print_stage(&w, s);
        for (j = p->nparams; (s->stores || last) && j < p->nargs; j++)
            if (p->args[j].is_array == s->stores) {
                jk_print_arg(&w, j, "  ");
                fprintf(out, " = %s\n", jk_view_value(&w, p->args[j].value));
            }
    }
}

JK_SMALL_CLOSE
