/* The loops by hand, for one precision and one instruction set. The including file has defined T, V (a vector of T),
 * ISA, SIZE (bytes of V), LOAD STREAM SQRT SET1 POSITIVE(x, yes, no) and NAME(row). */
#define LANES (SIZE / sizeof(T))
#define FN __attribute__((target(ISA))) static

FN T NAME(fold)(V v)
{
    T l[LANES], s = 0;
    memcpy(l, &v, sizeof v);
    for (size_t i = 0; i < LANES; i++)
        s += l[i];
    return s;
}

/* Four streams where that is a long read, each with two accumulators. E of A and B at q. */
#define REDUCE(row, E)                                                                      \
    FN double NAME(row)(const void *va, const void *vb, const void *vc, void *vo, size_t n) \
    {                                                                                       \
        const T *a = (const T *)va, *b = (const T *)vb;                                     \
        V s[8];                                                                             \
        size_t each = n / 4 / (2 * LANES) * (2 * LANES), i, k;                              \
        (void)b, (void)vc, (void)vo;                                                        \
        _Pragma("GCC unroll 8") for (k = 0; k < 8; k++) s[k] = SET1(0);                     \
        for (i = 0; i < each; i += 2 * LANES)                                               \
            _Pragma("GCC unroll 8") for (k = 0; k < 8; k++)                                 \
            {                                                                               \
                size_t q = i + k / 2 * each + k % 2 * LANES;                                \
                s[k] = s[k] + (E);                                                          \
            }                                                                               \
        V all = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));          \
        T sum = 0;                                                                          \
        for (i = 4 * each; i + LANES <= n; i += LANES) {                                    \
            size_t q = i;                                                                   \
            all = all + (E);                                                                \
        }                                                                                   \
        for (; i < n; i++) {                                                                \
            T pa = a[i], pb = b ? b[i] : 0;                                                 \
            sum += row##_one(pa, pb);                                                       \
        }                                                                                   \
        return sum + NAME(fold)(all);                                                       \
    }
#define A LOAD(a + q)
#define B LOAD(b + q)
REDUCE(sum, A)
REDUCE(dot, A *B)
REDUCE(sqdiff, (A - B) * (A - B))
#undef A
#undef B

/* Vectors of A, B, C in, one out; plain stores, or non-temporal ones where the output is far larger than the caches. */
#define MAP(row, E)                                                                                            \
    FN double NAME(row)(const void *va, const void *vb, const void *vc, void *vo, size_t n)                    \
    {                                                                                                          \
        const T *a = (const T *)va, *b = (const T *)vb, *c = (const T *)vc;                                    \
        T *o = (T *)vo;                                                                                        \
        size_t i = 0;                                                                                          \
        (void)b, (void)c;                                                                                      \
        if (n * sizeof(T) >= limit_stream_bytes) {                                                             \
            for (; i + 4 * LANES <= n; i += 4 * LANES)                                                         \
                _Pragma("GCC unroll 4") for (size_t k = i; k < i + 4 * LANES; k += LANES) STREAM(o + k, E(k)); \
            _mm_sfence();                                                                                      \
        }                                                                                                      \
        _Pragma("GCC unroll 4") for (; i + LANES <= n; i += LANES)                                             \
        {                                                                                                      \
            V r = E(i);                                                                                        \
            memcpy(o + i, &r, sizeof r);                                                                       \
        }                                                                                                      \
        if (i < n) {                                                                                           \
            T pa[LANES] = {0}, pb[LANES] = {0}, pc[LANES] = {0};                                               \
            size_t m = n - i;                                                                                  \
            memcpy(pa, a + i, m * sizeof(T));                                                                  \
            if (b)                                                                                             \
                memcpy(pb, b + i, m * sizeof(T));                                                              \
            if (c)                                                                                             \
                memcpy(pc, c + i, m * sizeof(T));                                                              \
            a = pa, b = pb, c = pc;                                                                            \
            V r = E(0);                                                                                        \
            memcpy(o + i, &r, m * sizeof(T));                                                                  \
        }                                                                                                      \
        return 0;                                                                                              \
    }
#define A(k) LOAD(a + (k))
#define B(k) LOAD(b + (k))
#define C(k) LOAD(c + (k))
#define E_ROOT(k) (SQRT(A(k)) * 2)
#define E_BLEND(k) (A(k) * 2 + B(k) * 3)
#define E_MULADD(k) (A(k) * B(k) + C(k))
#define E_QUOTIENT(k) ((A(k) - B(k)) / (A(k) + B(k)))
#define E_POLY(k) ((T)0.25 * (A(k) * A(k) * A(k)) + (T)0.75 * (A(k) * A(k)) - (T)1.5 * A(k) - 2)
#define E_SELECT(k) POSITIVE(A(k), SQRT(A(k)), -A(k))
MAP(root, E_ROOT)
MAP(blend, E_BLEND)
MAP(muladd, E_MULADD)
MAP(quotient, E_QUOTIENT)
MAP(poly, E_POLY)
MAP(select, E_SELECT)
#undef A
#undef B
#undef C
#undef E_ROOT
#undef E_BLEND
#undef E_MULADD
#undef E_QUOTIENT
#undef E_POLY
#undef E_SELECT
#undef REDUCE
#undef MAP
#undef LANES
#undef FN
#undef T
#undef V
#undef ISA
#undef SIZE
#undef LOAD
#undef STREAM
#undef SQRT
#undef SET1
#undef POSITIVE
#undef NAME
