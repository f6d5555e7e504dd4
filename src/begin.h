/* Opens the implementation: baseline x86-64 code whatever the including file's flags (the linker keeps any copy of
 * a weak function, also one of a file built with -mavx512f), on 32 bits arithmetic that is not the 80-bit registers',
 * and C linkage. end.h closes what this opens. */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("no-avx,no-bmi,no-bmi2,no-lzcnt,no-movbe,no-popcnt,no-sse3"))), \
                             apply_to = function)
#elif defined(__x86_64__) && defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("arch=x86-64")
#elif defined(__i386__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse2"))), apply_to = function)
#elif defined(__i386__) && defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("sse2,fpmath=sse")
#endif
#ifdef __cplusplus
extern "C" {
#endif
