/* demo_loops: the loops a C programmer writes, in a file of their own so that they are compiled as plain -O2 code. */
#ifndef DEMO_LOOPS_H
#define DEMO_LOOPS_H
#include <stddef.h>

typedef double (*demo_loop)(const void *x, const void *y, void *out, size_t n); /* maps return 0 */

double loop_sum_f64(const void *x, const void *y, void *out, size_t n);
double loop_dot_f64(const void *x, const void *y, void *out, size_t n);
double loop_root_f64(const void *x, const void *y, void *out, size_t n);
double loop_blend_f64(const void *x, const void *y, void *out, size_t n);
double loop_select_f64(const void *x, const void *y, void *out, size_t n);
double loop_sum_f32(const void *x, const void *y, void *out, size_t n);
double loop_dot_f32(const void *x, const void *y, void *out, size_t n);
double loop_root_f32(const void *x, const void *y, void *out, size_t n);
double loop_blend_f32(const void *x, const void *y, void *out, size_t n);
double loop_select_f32(const void *x, const void *y, void *out, size_t n);
#endif
