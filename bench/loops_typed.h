/* The naive loops in one precision, T, as anyone would write them. Included twice by loops.c. */
#define REDUCE(row, E)                                                                          \
    static double NAME(row)(const void *va, const void *vb, const void *vc, void *vo, size_t n) \
    {                                                                                           \
        const T *a = (const T *)va, *b = (const T *)vb;                                         \
        T s = 0;                                                                                \
        (void)b, (void)vc, (void)vo;                                                            \
        for (size_t i = 0; i < n; i++)                                                          \
            s += E;                                                                             \
        return s;                                                                               \
    }
#define MAP(row, E)                                                                                    \
    static double NAME(row)(const void *va, const void *vb, const void *vc, void *vo, size_t n)        \
    {                                                                                                  \
        const T *restrict a = (const T *)va, *restrict b = (const T *)vb, *restrict c = (const T *)vc; \
        T *restrict o = (T *)vo;                                                                       \
        (void)b, (void)c;                                                                              \
        for (size_t i = 0; i < n; i++)                                                                 \
            o[i] = E;                                                                                  \
        return 0;                                                                                      \
    }

REDUCE(sum, a[i])
REDUCE(dot, a[i] * b[i])
MAP(root, 2 * SQRT(a[i]))
MAP(blend, 2 * a[i] + 3 * b[i])
MAP(muladd, a[i] * b[i] + c[i])
MAP(quotient, (a[i] - b[i]) / (a[i] + b[i]))
MAP(poly, (T)0.25 * (a[i] * a[i] * a[i]) + (T)0.75 * (a[i] * a[i]) - (T)1.5 * a[i] - 2)
MAP(select, a[i] > 0 ? SQRT(a[i]) : -a[i])
REDUCE(sqdiff, (a[i] - b[i]) * (a[i] - b[i]))
#undef REDUCE
#undef MAP
