/* ir: looking. The printer writes what one reads of a program, one line a value, stage by stage; leaves stand where
 * they are used. */
#include "ir.h"

JK_SMALL_OPEN

/* ---- printing ---- */
/* The shortest of a few precisions that gives the same number back, with a point in any locale. */
JK_FUNC void jk_print_float(FILE *out, jk_type type, uint64_t bits)
{
    char s[40], *comma;
    int digits, most = type == JK_F64 ? 17 : 9;
    double v = type == JK_F64 ? jk_f64_from_bits(bits) : (double)jk_f32_from_bits((uint32_t)bits);
    uint64_t inf = jk_kind_bits(JK_IS_INF, type), sign = jk_kind_bits(JK_IS_MINUS_ZERO, type);
    if ((bits & ~sign) >= inf) {
        fputs((bits & ~sign) > inf ? "nan" : bits & sign ? "-inf" : "inf", out);
        return;
    }
    for (digits = 6; digits <= most; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (type == JK_F64 ? jk_f64_bits(strtod(s, NULL)) == bits : jk_f32_bits(strtof(s, NULL)) == (uint32_t)bits)
            break;
    }
    comma = jk_find_char(s, ',');
    if (comma)
        *comma = '.';
    fputs(s, out);
}

JK_FUNC void jk_print_value(const jk_program *p, jk_ref r, FILE *out)
{
    const jk_ins *i = &p->ins[r];
    uint64_t bits = jk_ir_const_bits(i);
    if (i->op == JK_PARAM || i->op == JK_LOAD)
        fprintf(out, "%s%s", p->args[i->a].name, i->op == JK_LOAD ? "[]" : "");
    else if (i->op == JK_LENGTH)
        fputs("length", out);
    else if (i->op != JK_CONST)
        fprintf(out, "%%%u", (unsigned)r);
    else if (jk_is_float((jk_type)i->type))
        jk_print_float(out, (jk_type)i->type, bits);
    else if (jk_is_mask((jk_type)i->type))
        fputs(bits ? "true" : "false", out);
    else
        fprintf(out, "0x%llx", (unsigned long long)bits);
}

JK_FUNC void jk_print_ins(const jk_program *p, jk_ref r, int indent, FILE *out)
{
    const jk_ins *i = &p->ins[r];
    unsigned k, n = jk_op_rows[i->op].arity;
    fprintf(out, "%*s%%%u = %s.%s", indent, "", (unsigned)r, jk_op_name((jk_op)i->op), jk_type_name((jk_type)i->type));
    for (k = 0; k < n; k++) {
        fputs(k ? ", " : " ", out);
        jk_print_value(p, k == 0 ? i->a : k == 1 ? i->b : i->c, out);
    }
    if (i->op == JK_ISHL || i->op == JK_ISHR)
        fprintf(out, ", %u", (unsigned)i->aux);
    if (p->cell[r] != JK_NOCELL)
        fprintf(out, " -> cell %u", (unsigned)p->cell[r]);
    fputc('\n', out);
}

/* A rare body stands indented before its RARE; bodies in bodies are not told apart. */
JK_FUNC void jk_print_rare(const jk_program *p, jk_ref r, FILE *out)
{
    const jk_rare *x = &p->rares[p->ins[r].aux];
    jk_ref k;
    fputs("  rare ", out);
    jk_print_value(p, p->ins[r].a, out);
    fputs(":\n", out);
    for (k = x->first; k < r; k++)
        if (!(jk_op_rows[p->ins[k].op].flags & JK_LEAF))
            jk_print_ins(p, k, 4, out);
    if (x->again != JK_NOREF) {
        fprintf(out, "    again at most %u times while ", (unsigned)x->limit);
        jk_print_value(p, x->again, out);
        fputc('\n', out);
    }
}

JK_FUNC void jk_print_args(const jk_program *p, FILE *out)
{
    uint32_t k;
    fprintf(out, "%s (", jk_type_name((jk_type)p->type));
    for (k = 0; k < p->nparams; k++)
        fprintf(out, "%s%s%s: %s", k ? ", " : "", p->args[k].name, p->args[k].is_array ? "[]" : "",
                jk_type_name((jk_type)p->args[k].type));
    fputs(")\n", out);
}

JK_FUNC void jk_print_results(const jk_program *p, bool arrays, FILE *out)
{
    uint32_t k;
    for (k = p->nparams; k < p->nargs; k++)
        if (p->args[k].is_array == arrays) {
            fprintf(out, "  %s%s: %s = ", p->args[k].name, arrays ? "[]" : "", jk_type_name((jk_type)p->args[k].type));
            jk_print_value(p, p->args[k].value, out);
            fputc('\n', out);
        }
}

JK_FUNC bool jk_print_has_scalars(const jk_program *p)
{
    uint32_t k;
    for (k = p->nparams; k < p->nargs; k++)
        if (!p->args[k].is_array)
            return true;
    return false;
}

/* Empty uniform stages are left out, but for a last one that has scalar results to say. */
JK_FUNC void jk_ir_print(const jk_program *p, FILE *out)
{
    uint32_t k, j;
    jk_print_args(p, out);
    for (k = 0; k < p->nstages; k++) {
        const jk_stage *s = &p->stages[k];
        bool last = k + 1 == p->nstages && jk_print_has_scalars(p);
        if (!s->is_pass && s->norder == 0 && !last)
            continue;
        fprintf(out, "%s %u:\n", s->is_pass ? "pass" : "uniform", (unsigned)k / 2);
        for (j = 0; j < s->norder; j++) {
            if (p->ins[s->order[j]].op == JK_RARE)
                jk_print_rare(p, s->order[j], out);
            jk_print_ins(p, s->order[j], 2, out);
        }
        for (j = 0; j < s->nred; j++)
            jk_print_ins(p, s->red[j], 2, out);
        if (s->stores || last)
            jk_print_results(p, s->stores, out);
    }
}

JK_SMALL_CLOSE
