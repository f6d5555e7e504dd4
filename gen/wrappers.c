/* wrappers: what C and C++ programs see of the named kernels. For each kernel two functions, jitk_NAME_f64 and
 * jitk_NAME_f32, and in front of them jitk_NAME: in C a _Generic macro, in C++ overloads. Both choose by the type of
 * one array's pointer and cast n and the scalars, so that any integer and any arithmetic type goes in without a
 * warning. Order of arguments: scalars, inputs, n, outputs. */
#include "named.h"

static const char *gen_c_type(unsigned type)
{
    static const char *const names[] = {"double", "float", "int64_t", "int32_t", "uint8_t"};
    return names[type];
}

/* What a program's argument is in the C signature. */
typedef enum gen_role { GEN_SCALAR, GEN_INPUT, GEN_IN_PLACE, GEN_OUTPUT, GEN_WRITTEN_OVER, GEN_RETURNED } gen_role;

static gen_role gen_role_of(const gen_kernel *k, const jk_program *p, size_t i)
{
    const jk_param_info *a = &p->args[i];
    if (!a->is_result)
        return !a->is_array ? GEN_SCALAR : strcmp(a->name, k->in_place) ? GEN_INPUT : GEN_IN_PLACE;
    if (a->is_array)
        return k->in_place[0] ? GEN_WRITTEN_OVER : GEN_OUTPUT;
    return p->nargs - p->nparams == 1 ? GEN_RETURNED : GEN_OUTPUT;
}

/* The name of argument i: parameters have theirs, results are `out` or `out2` ... */
static const char *gen_arg_name(const jk_program *p, size_t i, char out[80])
{
    if (i < p->nparams)
        snprintf(out, 80, "%s", p->args[i].name);
    else if (i == p->nparams)
        strcpy(out, "out");
    else
        snprintf(out, 80, "out%zu", i - p->nparams + 1);
    return out;
}

static const char *gen_return_type(const gen_kernel *k, const jk_program *p)
{
    size_t i;
    for (i = p->nparams; i < p->nargs; i++)
        if (gen_role_of(k, p, i) == GEN_RETURNED)
            return k->returns[0] ? k->returns : gen_c_type(p->args[i].type);
    return "void";
}

/* The groups in which the arguments of a C signature stand; n comes between the second and the third, and an array
 * that is updated in place counts as an input. */
static const gen_role gen_groups[3] = {GEN_SCALAR, GEN_INPUT, GEN_OUTPUT};

/* Writes each argument of the C signature in its order. `what`: 'd' declared as in the C function, 'g' as a macro's
 * parameters, 't' as a C++ template's parameters, 'c' as the call in that template. */
static void gen_signature(const gen_kernel *k, const jk_program *p, char what, gen_text *out)
{
    char name[80];
    size_t g, i, scalars = 0;
    const char *comma = "";
    for (g = 0; g < 3; g++) {
        for (i = 0; i < p->nargs; i++) {
            gen_role r = gen_role_of(k, p, i);
            const char *type = gen_c_type(p->args[i].type);
            if (r != gen_groups[g] && !(r == GEN_IN_PLACE && gen_groups[g] == GEN_INPUT))
                continue;
            gen_arg_name(p, i, name);
            gen_puts(out, comma);
            comma = ", ";
            if (what == 'g' || (what == 'c' && r != GEN_SCALAR))
                gen_puts(out, name);
            else if (r == GEN_SCALAR)
                what == 'd'   ? gen_printf(out, "%s %s", type, name)
                : what == 't' ? gen_printf(out, "jitk_A%zu %s", scalars++, name)
                              : gen_printf(out, "static_cast<%s>(%s)", type, name);
            else
                gen_printf(out, "%s%s *%s", r == GEN_INPUT ? "const " : "", type, name);
        }
        if (g == 1) {
            gen_printf(out, "%s%s", comma,
                       what == 'd'   ? "size_t n"
                       : what == 't' ? "jitk_N n"
                       : what == 'c' ? "static_cast<size_t>(n)"
                                     : "n");
            comma = ", ";
        }
    }
}

static void gen_prototype(const gen_kernel *k, int precision, gen_text *out)
{
    gen_printf(out, "JITK_API %s jitk_%s_%s(", gen_return_type(k, &k->f[precision]), k->name, gen_suffix(precision));
    gen_signature(k, &k->f[precision], 'd', out);
    gen_puts(out, ")");
}

/* The argument whose pointer type decides: an output or in-place array before an input, since those are never const. */
static size_t gen_deciding(const gen_kernel *k, const jk_program *p)
{
    static const gen_role best[3] = {GEN_IN_PLACE, GEN_OUTPUT, GEN_INPUT};
    size_t i, r;
    for (r = 0; r < 3; r++)
        for (i = 0; i < p->nargs; i++)
            if (gen_role_of(k, p, i) == best[r])
                return i;
    gen_die("%s: no array by which to choose the precision", k->name);
}

static void gen_choice(const char *name, bool constant, const char *f64, const char *f32, gen_text *out)
{
    if (constant)
        gen_printf(out, "_Generic((%s), const double *: %s, const float *: %s, ", name, f64, f32);
    else
        gen_printf(out, "_Generic((%s), ", name);
    gen_printf(out, "double *: %s, float *: %s)", f64, f32);
}

static void gen_macro(const gen_kernel *k, gen_text *out)
{
    const jk_program *p = &k->f[0];
    size_t g, i, which = gen_deciding(k, p);
    bool constant = gen_role_of(k, p, which) == GEN_INPUT;
    const char *comma = "";
    char by[80], name[80], f64[128], f32[128];
    gen_printf(out, "#define jitk_%s(", k->name);
    gen_signature(k, p, 'g', out);
    gen_puts(out, ") \\\n    ");
    gen_arg_name(p, which, by);
    snprintf(f64, sizeof f64, "jitk_%s_f64", k->name);
    snprintf(f32, sizeof f32, "jitk_%s_f32", k->name);
    gen_choice(by, constant, f64, f32, out);
    gen_puts(out, "(");
    for (g = 0; g < 3; g++) {
        for (i = 0; i < p->nargs; i++) {
            gen_role r = gen_role_of(k, p, i);
            if (r != gen_groups[g] && !(r == GEN_IN_PLACE && gen_groups[g] == GEN_INPUT))
                continue;
            gen_arg_name(p, i, name);
            gen_puts(out, comma);
            comma = ", ";
            if (r == GEN_SCALAR) {
                snprintf(f64, sizeof f64, "(%s)(%s)", gen_c_type(k->f[0].args[i].type), name);
                snprintf(f32, sizeof f32, "(%s)(%s)", gen_c_type(k->f[1].args[i].type), name);
                gen_choice(by, constant, f64, f32, out);
            } else {
                gen_puts(out, name);
            }
        }
        if (g == 1)
            gen_puts(out, ", (size_t)(n)");
    }
    gen_puts(out, ")\n");
}

static void gen_overload(const gen_kernel *k, int precision, gen_text *out)
{
    const jk_program *p = &k->f[precision];
    size_t i, scalars = 0;
    gen_puts(out, "template <");
    for (i = 0; i < p->nparams; i++)
        if (gen_role_of(k, p, i) == GEN_SCALAR)
            gen_printf(out, "class jitk_A%zu, ", scalars++);
    gen_printf(out, "class jitk_N> static inline %s jitk_%s(", gen_return_type(k, p), k->name);
    gen_signature(k, p, 't', out);
    gen_printf(out, ")\n{\n    return jitk_%s_%s(", k->name, gen_suffix(precision));
    gen_signature(k, p, 'c', out);
    gen_puts(out, ");\n}\n");
}

static void gen_doc(const gen_kernel *k, gen_text *out)
{
    const char *line = k->doc, *end;
    gen_puts(out, "/* ");
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
        gen_printf(out, "%.*s\n * ", (int)(end - line), line);
    gen_printf(out, "%s */\n", line);
}

void gen_api(const gen_kernels *k, gen_text *out)
{
    size_t i;
    int precision;
    gen_puts(out,
             "/* The named kernels. jitk_NAME chooses jitk_NAME_f64 or jitk_NAME_f32 by the pointer's type; n is any\n"
             " * integer, a scalar any number. They check nothing and cannot fail. */\n"
             "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (i = 0; i < k->count; i++) {
        gen_doc(&k->items[i], out);
        for (precision = 0; precision < 2; precision++) {
            gen_prototype(&k->items[i], precision, out);
            gen_printf(out, " JK_AS(jitk_%s_%s);\n", k->items[i].name, gen_suffix(precision));
        }
    }
    gen_puts(out, "#ifdef __cplusplus\n}\nextern \"C++\" {\n");
    for (i = 0; i < 2 * k->count; i++)
        gen_overload(&k->items[i / 2], (int)(i % 2), out);
    gen_puts(out, "}\n#else\n");
    for (i = 0; i < k->count; i++)
        gen_macro(&k->items[i], out);
    gen_puts(out, "#endif\n");
}

/* The common forms are a tail call each (kernel/named.c): arrays alone of which a number is made, at most two; a number
 * and an array that is written over, with at most one array between. */
static bool gen_short_call(const gen_kernel *k, const jk_program *p, size_t number, gen_text *out)
{
    static const char *const fronts[] = {"f64", "f32", "i64"};
    const char *x = p->args[0].name;
    size_t inputs = p->nparams, i;
    if (p->nargs == inputs + 1 && inputs <= 2 && gen_role_of(k, p, inputs) == GEN_RETURNED &&
        p->args[inputs].type <= JK_I64) {
        for (i = 0; i < inputs; i++)
            if (gen_role_of(k, p, i) != GEN_INPUT)
                return false;
        gen_printf(out, "    return %s%s%sjk_named_%s(%s, n, %zu, %s);\n", k->returns[0] ? "(" : "", k->returns,
                   k->returns[0] ? ")" : "", fronts[p->args[inputs].type], x, number,
                   inputs == 2 ? p->args[1].name : "NULL");
        return true;
    }
    if (p->nargs != inputs + 1 || inputs < 2 || inputs > 3 || gen_role_of(k, p, 0) != GEN_SCALAR ||
        p->args[0].type != p->type || gen_role_of(k, p, inputs - 1) != GEN_IN_PLACE ||
        (inputs == 3 && gen_role_of(k, p, 1) != GEN_INPUT))
        return false;
    gen_printf(out, "    jk_named_update_%s(%s, %s, %s, n, %zu);\n", fronts[p->type], x, p->args[1].name,
               p->args[inputs - 1].name, number);
    return true;
}

static void gen_call(const gen_kernel *k, size_t number, gen_text *out)
{
    const jk_program *p = &k->f[number % 2];
    const char *returns = gen_return_type(k, p);
    char name[80];
    size_t i;
    gen_prototype(k, (int)(number % 2), out);
    gen_puts(out, "\n{\n");
    if (gen_short_call(k, p, number, out)) {
        gen_puts(out, "}\n");
        return;
    }
    if (strcmp(returns, "void"))
        gen_printf(out, "    %s result;\n", gen_c_type(p->args[p->nparams].type));
    gen_printf(out, "    const void *args[%u];\n", (unsigned)p->nargs);
    for (i = 0; i < p->nargs; i++) {
        gen_role r = gen_role_of(k, p, i);
        if (r == GEN_RETURNED)
            strcpy(name, "&result");
        else if (r == GEN_WRITTEN_OVER)
            strcpy(name, k->in_place);
        else
            gen_arg_name(p, i, name);
        gen_printf(out, "    args[%zu] = %s%s;\n", i, r == GEN_SCALAR ? "&" : "", name);
    }
    gen_printf(out, "    jk_named_call(%zu, n, args);\n", number);
    if (k->returns[0])
        gen_printf(out, "    return (%s)result;\n", returns);
    else if (strcmp(returns, "void"))
        gen_puts(out, "    return result;\n");
    gen_puts(out, "}\n");
}

void gen_calls(const gen_kernels *k, gen_text *out)
{
    size_t i;
    for (i = 0; i < 2 * k->count; i++)
        gen_call(&k->items[i / 2], i, out);
}
