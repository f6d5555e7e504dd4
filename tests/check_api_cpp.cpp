/* The interface from C++: templates and overloads instead of _Generic, the same kernels and the same cache. Returns
 * what failed, or NULL; check_api.c asks. */
#include "suites.h"

#define EXPECT(what) \
    if (!(what))     \
    return "check_api_cpp.cpp: " #what

template <class T> static const char *number_of(T value, double expected)
{
    double out = 0, zero = 0;
    EXPECT(jitk_eval("f(a, x[]) = a + 0*sum(x)", 1, value, &zero, &out) == JITK_OK);
    EXPECT(out == expected);
    return nullptr;
}

static const char *numbers()
{
    enum plain { five = 5 };
    const char *failed[] = {number_of(true, 1),       number_of('\7', 7),        number_of<signed char>(-7, -7),
                            number_of<short>(-3, -3), number_of(-70000, -70000), number_of(4000000000u, 4e9),
                            number_of(-5L, -5),       number_of(5ul, 5),         number_of(-6LL, -6),
                            number_of(6ull, 6),       number_of(1.5f, 1.5),      number_of(-0.5, -0.5),
                            number_of(2.25L, 2.25),   number_of(five, 5)};
    for (const char *f : failed)
        if (f)
            return f;
    return nullptr;
}

static const char *pointers()
{
    jitk_error e;
    jitk_kernel *k = jitk_compile("f(x: i64[], y: u8[]) -> f32 = x + y", nullptr, &e);
    long x[2] = {1, 2};
    long long same[2] = {1, 2};
    const unsigned char y[2] = {3, 4};
    float out[2] = {0, 0};
    const float *constant = out;
    const void *unchecked = x;
    EXPECT(k != nullptr);
    EXPECT(jitk_call(k, 2, x, y, out) == JITK_OK && out[0] == 4 && out[1] == 6);
    EXPECT(jitk_call(k, 2u, same, 1, static_cast<void *>(out)) == JITK_OK && out[1] == 3);
    EXPECT(jitk_call(k, short(2), unchecked, y, out) == JITK_OK);
    EXPECT(jitk_call(k, 2, x, x, out) == JITK_ERR_TYPE);
    EXPECT(jitk_call(k, 2, x, y, constant) == JITK_ERR_TYPE);
    EXPECT(jitk_call(k, 2, x, y, 1.0f) == JITK_ERR_TYPE);
    EXPECT(jitk_call(k, 2, x, nullptr, out) == JITK_ERR_ARGS);
    EXPECT(jitk_call(k, 0, nullptr, nullptr, nullptr) == JITK_OK);
    EXPECT(jitk_call(k, -1, x, y, out) == JITK_ERR_ARGS);
    EXPECT(jitk_call(k, 2) == JITK_ERR_ARGS);
    jitk_free(k);
    return nullptr;
}

static const char *named()
{
    double x[4] = {4, 3, 2, 1};
    const float f[4] = {1, 2, 3, 4};
    float y[4] = {0, 0, 0, 0};
    float sum = jitk_sum(f, 4);
    EXPECT(sum == 10 && jitk_sum(x, 4u) == 10 && jitk_argmin(x, 4) == 3);
    jitk_axpy(2, f, y, 4LL);
    EXPECT(y[3] == 8);
    return nullptr;
}

/* One cache for the program's C and C++ files. */
static const char *shared()
{
    double x[1] = {2}, y[1] = {0};
    jitk_info_t before, after;
    EXPECT(jitk_eval("x + 40", 1, x, y) == JITK_OK && y[0] == 42);
    jitk_info(&before);
    EXPECT(jitk_eval("x + 40", 1, x, y) == JITK_OK);
    jitk_info(&after);
    EXPECT(before.cached == after.cached && before.cached > 0);
    return nullptr;
}

extern "C" const char *check_api_from_cpp(void);
extern "C" const char *check_api_from_cpp(void)
{
    const char *(*const parts[])() = {numbers, pointers, named, shared};
    for (auto part : parts)
        if (const char *failed = part())
            return failed;
    return nullptr;
}
