/* syntax: errors as a person reads them. */
#include "ast.h"

JK_SMALL_OPEN

#define JK_CARET_BEFORE 60 /* of a long line, what is shown around the place */
#define JK_CARET_AFTER 40

/* The bytes of the character at s (left of them in its line); *shown is what stands for it: a '?' for what a terminal
 * should not see, so many bytes of it. */
JK_FUNC size_t jk_caret_char(const char *s, size_t left, const char **shown)
{
    char four[5] = {0, 0, 0, 0, 0};
    size_t n;
    memcpy(four, s, JK_SMALLER(left, 4));
    n = jk_utf8_length(four);
    *shown = n > 1 || *s == '\t' || (n == 1 && (unsigned char)*s >= 32 && *s != 127) ? s : "?";
    return JK_LARGER(n, 1);
}

/* line:column: message, then the line of the source and a caret under the place. Columns are bytes, the caret stands
 * under the character: a tab stays a tab, and a character of several bytes takes one place. */
JK_FUNC void jk_error_print_caret(const jitk_error *e, const char *source, size_t len, FILE *out)
{
    size_t line = 1, nmarks = 0, n;
    const char *start = source, *end = source + len, *stop, *at, *from, *to, *s, *shown;
    char marks[JK_CARET_BEFORE + JK_CARET_AFTER + 8]; /* one for each character shown, and one behind the last */
    if (e->line == 0) {
        fprintf(out, "%s\n", e->message);
        return;
    }
    for (s = source; s < end && line < e->line; s++)
        if (*s == '\n') {
            line++;
            start = s + 1;
        }
    for (stop = start; stop < end && *stop != '\n'; stop++)
        ;
    if (stop < end && stop > start && stop[-1] == '\r')
        stop--;
    n = (size_t)(stop - start);
    at = start + (e->column - 1 < n ? e->column - 1 : n);
    from = at - start > JK_CARET_BEFORE ? at - JK_CARET_BEFORE : start;
    to = stop - at > JK_CARET_AFTER ? at + JK_CARET_AFTER : stop;
    while (from > start && from < at && ((unsigned char)*from & 0xc0) == 0x80)
        from++;
    while (to < stop && ((unsigned char)*to & 0xc0) == 0x80)
        to++;
    fprintf(out, "%zu:%zu: %s\n  %s", e->line, e->column, e->message, from > start ? "..." : "");
    for (s = from; s < to; s += n) {
        n = jk_caret_char(s, (size_t)(to - s), &shown);
        fwrite(shown, 1, *shown == '?' ? 1 : n, out);
        if (s < at)
            marks[nmarks++] = *s == '\t' ? '\t' : ' ';
        else if (s == at || (size_t)(s - at) < e->length)
            marks[nmarks++] = s == at ? '^' : '~';
    }
    if (at == to)
        marks[nmarks++] = '^';
    fprintf(out, "%s\n  %s%.*s\n", to < stop ? "..." : "", from > start ? "   " : "", (int)nmarks, marks);
}

JK_SMALL_CLOSE
#undef JK_CARET_BEFORE
#undef JK_CARET_AFTER
