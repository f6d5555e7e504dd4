/* Closes what begin.h opened. */
#ifdef __cplusplus
}
#endif
#if (defined(__x86_64__) || defined(__i386__)) && defined(__clang__)
#pragma clang attribute pop
#elif (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#pragma GCC pop_options
#endif
