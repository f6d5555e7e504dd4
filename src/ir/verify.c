/* ir: the verifier: checks what ir.h promises of a program. jitk-gen and the tests have it, jitk.h has not: what it
 * finds only our own mistake can cause. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_verifier {
    const jk_program *p;
    const jk_stage *stage;
    uint32_t place; /* into the stage's order */
    const uint32_t *body;
} jk_verifier;

JK_FUNC bool jk_verify_class(jk_type t, jk_type own)
{
    return jk_type_size(t) == jk_type_size(own);
}

/* Operand and result types of one instruction. */
JK_FUNC const char *jk_verify_types(const jk_program *p, const jk_ins *i)
{
    unsigned k, n = jk_op_rows[i->op].arity;
    jk_type t[3] = {JK_F64, JK_F64, JK_F64}, type = (jk_type)i->type, last;
    for (k = 0; k < n; k++)
        t[k] = (jk_type)p->ins[k == 0 ? i->a : k == 1 ? i->b : i->c].type;
    last = n ? t[n - 1] : type;
    if (jk_op_rows[i->op].result == JK_RESULT_SAME && type != last)
        return "the result's type is not the last operand's";
    if (i->op <= JK_FMA || (i->op >= JK_LT && i->op <= JK_ISNAN)) {
        for (k = 0; k < n; k++)
            if (!jk_is_float(t[k]) || t[k] != last)
                return "an operand is of another type, or no float";
        return i->op >= JK_LT && type != jk_mask_type(last) ? "a comparison gives a mask of its operands' size" : NULL;
    }
    if (i->op >= JK_MNOT && i->op <= JK_ISHR) {
        for (k = 0; k < n; k++)
            if (t[k] != last || (i->op <= JK_MOR ? !jk_is_mask(last) : last != JK_I64 && last != JK_I32))
                return "an operand is of another type, or neither mask nor integer";
        return jk_is_mask(type) || i->aux < 8 * jk_type_size(type) ? NULL : "a shift by more than the type's bits";
    }
    switch (i->op) {
    case JK_SELECT:
    case JK_RARE:
        return jk_is_mask(t[0]) && t[1] == t[2] && t[1] == type && jk_verify_class(t[0], type)
                   ? NULL
                   : "arms or mask do not fit";
    case JK_BITS:
        return jk_verify_class(type, last) ? NULL : "a reinterpretation between sizes";
    case JK_RSTATE:
        return t[0] == type && t[1] == type ? NULL : "a state changes its type";
    case JK_RSUM:
    case JK_RPROD:
        return type == JK_F64 && jk_is_float(last) ? NULL : "a sum or product of floats is an F64";
    case JK_RMIN:
        return type == last && jk_is_float(last) ? NULL : "a minimum has its argument's type";
    case JK_RARGMIN:
        return type == JK_I64 && jk_is_float(last) ? NULL : "the place of a minimum is an I64";
    case JK_LENGTH:
        return type == JK_I64 ? NULL : "the length is an I64";
    default:
        return NULL;
    }
}

/* Order of operands, who may see whom, uniform and varying. body[r] is the RARE that r belongs to the body of. */
JK_FUNC const char *jk_verify_ins(const jk_verifier *v, jk_ref r)
{
    const jk_program *p = v->p;
    const jk_ins *i = &p->ins[r];
    jk_ref x[4];
    unsigned k, n;
    uint8_t varies = 0, red, leaf;
    if (i->op >= JK_OP_COUNT || i->type >= JK_TYPE_COUNT)
        return "no such op or type";
    red = jk_op_rows[i->op].flags & JK_RED;
    leaf = jk_op_rows[i->op].flags & JK_LEAF;
    if (i->op == JK_RARE && i->aux >= p->nrares)
        return "no such rare body";
    if (i->op == JK_RARE && v->body[r] != JK_NOREF)
        return "a rare body inside a rare body";
    if (i->op == JK_RSTATE && (i->b >= p->nins || v->body[i->b] != v->body[r]) && i->b >= r)
        return "a state's next value is outside the body";
    n = jk_ins_operands(p, r, x);
    for (k = 0; k < n; k++) {
        jk_ref inside = JK_NOREF;
        if (x[k] >= r)
            return "an operand is not an earlier value";
        if (i->op == JK_RARE && k >= 2)
            inside = r; /* the body's own result and `again` */
        for (inside = v->body[x[k]] == inside ? v->body[r] : v->body[x[k]]; inside != JK_NOREF && r > inside;)
            return "a value of a rare body is used outside";
        if (k < 3 || i->op != JK_RARE)
            varies |= p->varying[x[k]];
    }
    if ((i->op == JK_PARAM || i->op == JK_LOAD) && (i->a >= p->nparams || p->args[i->a].is_array != (i->op == JK_LOAD)))
        return "no such parameter";
    if (leaf || red)
        return p->varying[r] == (i->op == JK_LOAD) ? jk_verify_types(p, i)
                                                   : "a leaf or reduction is varying or uniform by its op";
    if (p->varying[r] != varies && v->body[r] == JK_NOREF)
        return "varying is what is computed of varying values";
    return jk_verify_types(p, i);
}

/* Is the value there when instruction number `place` of the stage runs? */
JK_FUNC bool jk_verify_there(const jk_program *p, const uint32_t *seen, uint32_t stage, jk_ref r)
{
    const jk_ins *i = &p->ins[r];
    if (i->op == JK_CONST || i->op == JK_LENGTH)
        return true;
    if (i->op == JK_LOAD)
        return (stage & 1) != 0;
    if (i->op == JK_PARAM)
        return p->cell[r] != JK_NOCELL;
    if (p->varying[r] || seen[r] == stage + 1)
        return seen[r] == stage + 1;
    return p->cell[r] != JK_NOCELL && seen[r] != 0; /* a cell of an earlier stage */
}

JK_FUNC const char *jk_verify_step(const jk_program *p, uint32_t *seen, uint32_t stage, jk_ref r)
{
    const jk_ins *i = &p->ins[r];
    unsigned flags = jk_op_rows[i->op].flags;
    jk_ref k, x[4], first = i->op == JK_RARE ? p->rares[i->aux].first : r;
    unsigned n;
    if ((flags & (JK_LEAF | JK_RED)) || p->varying[r] != (stage & 1))
        return "a stage lists what does not belong there";
    if (seen[r] && (!p->varying[r] || seen[r] == stage + 1))
        return "a value is computed twice";
    for (k = first; k <= r; k++)
        for (n = jk_ins_operands(p, k, x); n-- > 0;)
            if (x[n] < first && !jk_verify_there(p, seen, stage, x[n]))
                return "a stage uses a value that is not there";
    seen[r] = stage + 1;
    return NULL;
}

JK_FUNC const char *jk_verify_stage(const jk_program *p, uint32_t *seen, uint32_t stage)
{
    const jk_stage *s = &p->stages[stage];
    const char *message;
    uint32_t k;
    if (s->is_pass != (stage & 1))
        return "stages are uniform and pass in turn";
    for (k = 0; k < s->norder; k++)
        if ((message = jk_verify_step(p, seen, stage, s->order[k])) != NULL)
            return message;
    for (k = 0; k < s->nred; k++) {
        const jk_ins *i = &p->ins[s->red[k]];
        if (!(jk_op_rows[i->op].flags & JK_RED) || p->cell[s->red[k]] == JK_NOCELL || seen[s->red[k]])
            return "a pass's reductions are reductions, have cells, and run once";
        if (!jk_verify_there(p, seen, stage, i->a))
            return "a reduction's argument is not there";
        seen[s->red[k]] = stage + 1;
    }
    for (k = p->nparams; k < p->nargs && s->stores; k++)
        if (p->args[k].is_array && !jk_verify_there(p, seen, stage, p->args[k].value))
            return "an array result is not there";
    return NULL;
}

JK_FUNC const char *jk_verify_results(const jk_program *p, const uint32_t *seen)
{
    uint32_t k, stores = 0;
    bool arrays = false;
    for (k = 0; k < p->nstages; k++)
        stores += p->stages[k].stores;
    for (k = p->nparams; k < p->nargs; k++) {
        const jk_ins *i = &p->ins[p->args[k].value];
        arrays = arrays || p->args[k].is_array;
        if (p->args[k].is_array ? i->type != p->type : i->type != JK_F64 && i->type != JK_F32 && i->type != JK_I64)
            return "a result has a type that results do not have";
        if (!p->args[k].is_array &&
            (p->varying[p->args[k].value] || !jk_verify_there(p, seen, p->nstages, p->args[k].value)))
            return "a scalar result is not there at the end";
    }
    if (stores != (arrays ? 1u : 0u) || (arrays && !p->stages[p->nstages - 2].stores))
        return "array results are stored in the last pass";
    return NULL;
}

JK_FUNC const char *jk_verify_with(const jk_program *p, uint32_t *body, uint32_t *seen)
{
    const char *message = NULL;
    jk_verifier v;
    uint32_t r, k;
    memset(&v, 0, sizeof v);
    v.p = p;
    v.body = body;
    memset(body, 0xff, p->nins * sizeof *body);
    memset(seen, 0, p->nins * sizeof *seen);
    for (r = p->nins; r-- > 0;)
        if (p->ins[r].op == JK_RARE && p->ins[r].aux < p->nrares)
            for (k = p->rares[p->ins[r].aux].first; k < r; k++)
                body[k] = r; /* an inner RARE comes before the outer one and overwrites its part later */
    for (r = 0; r < p->nins && !message; r++)
        message = jk_verify_ins(&v, r);
    if (!message && p->nstages % 2 == 0)
        message = "stages begin and end with a uniform one";
    for (k = 0; k < p->nstages && !message; k++)
        message = jk_verify_stage(p, seen, k);
    return message ? message : jk_verify_results(p, seen);
}

/* A message, or NULL. */
JK_FUNC const char *jk_ir_verify(const jk_program *p)
{
    uint32_t *room = (uint32_t *)JK_MALLOC((2 * (size_t)p->nins + 1) * sizeof *room);
    const char *message;
    if (!room)
        return NULL;
    message = jk_verify_with(p, room, room + p->nins);
    JK_FREE(room);
    return message;
}

JK_SMALL_CLOSE
