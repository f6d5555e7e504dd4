/* syntax: errors as a person reads them. */
#include "ast.h"

JK_SMALL_OPEN

#define JK_CARET_BEFORE 60 /* of a long line, what is shown around the place */
#define JK_CARET_AFTER 40

/* Prints the character at s, a '?' for what a terminal should not see. Returns its bytes. */
JK_FUNC size_t jk_caret_char(const char *s, FILE *out)
{
    size_t n = jk_utf8_length(s);
    if (n > 1 || *s == '\t' || (unsigned char)(*s - 32) < 95) {
        fwrite(s, 1, n, out);
        return n;
    }
    fputc('?', out);
    return 1;
}

JK_FUNC bool jk_is_middle(const char *s) /* of a character */
{
    return ((unsigned char)*s & 0xc0) == 0x80;
}

/* line:column: message, then the line of the source and a caret under the place. Columns are bytes, the caret stands
 * under the character: a tab stays a tab, and a character of several bytes takes one place. */
JK_FUNC void jk_error_print_caret(const jitk_error *e, const char *source, FILE *out)
{
    size_t line = e->line, nmarks = 0;
    const char *start = source, *stop, *at, *from, *to, *s;
    char marks[JK_CARET_BEFORE + JK_CARET_AFTER + 8]; /* one for each character shown, and one behind the last */
    if (line == 0 || !source) {
        fprintf(out, "%s\n", e->message);
        return;
    }
    for (; line > 1 && (s = jk_find_char(start, '\n')) != NULL; line--)
        start = s + 1;
    stop = start + strcspn(start, "\n");
    if (*stop && stop > start && stop[-1] == '\r')
        stop--;
    at = start + JK_SMALLER(e->column - 1, (size_t)(stop - start));
    from = at - JK_SMALLER(at - start, JK_CARET_BEFORE);
    to = at + JK_SMALLER(stop - at, JK_CARET_AFTER);
    while (from > start && from < at && jk_is_middle(from))
        from++;
    while (to < stop && jk_is_middle(to))
        to++;
    fprintf(out, "%zu:%zu: %s\n  %s", e->line, e->column, e->message, from > start ? "..." : "");
    for (s = from; s < to;) {
        if (s < at)
            marks[nmarks++] = *s == '\t' ? '\t' : ' ';
        else if (s == at || (size_t)(s - at) < e->length)
            marks[nmarks++] = s == at ? '^' : '~';
        s += jk_caret_char(s, out);
    }
    if (at == to)
        marks[nmarks++] = '^';
    fprintf(out, "%s\n  %s%.*s\n", to < stop ? "..." : "", from > start ? "   " : "", (int)nmarks, marks);
}

JK_SMALL_CLOSE
#undef JK_CARET_BEFORE
#undef JK_CARET_AFTER
