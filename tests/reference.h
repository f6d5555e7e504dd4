/* reference: sums in the order of docs/reductions.md, as plainly as they can be said. The document shows the code
 * between the lines below, and a test compares the two; nothing here is the library's. The fences keep -ffast-math out.
 */
#ifndef REFERENCE_H
#define REFERENCE_H
#include <stddef.h>
#if defined(__clang__)
#pragma float_control(push)
#pragma float_control(precise, on)
#pragma clang fp contract(off)
#else
#pragma GCC push_options
#pragma GCC optimize("no-fast-math", "fp-contract=off")
#endif

/* ---- */
static const size_t CHUNK_BYTES = 525312, LANE_BYTES = 64, POUR = 64;

/* The node of one chunk of m elements, of 8 bytes (double) or 4 (float). */
static double chunk_sum(const void *x, size_t m, size_t bytes)
{
    double lane[4][16] = {{0}};
    float part[16] = {0};
    size_t lanes = LANE_BYTES / bytes, i, j;
    size_t length = (m * bytes + 4 * LANE_BYTES - 1) / (4 * LANE_BYTES) * lanes; /* of a segment */
    for (i = 0; i < m; i++) {
        size_t segment = i / length, at = i % length;
        if (bytes == 8) {
            lane[segment][at % lanes] += ((const double *)x)[i];
            continue;
        }
        part[at % lanes] += ((const float *)x)[i];
        if (at % (POUR * lanes) == POUR * lanes - 1 || at == length - 1 || i == m - 1)
            for (j = 0; j < lanes; j++) {
                lane[segment][j] += (double)part[j];
                part[j] = 0;
            }
    }
    for (j = 0; j < lanes; j++)
        lane[0][j] = (lane[0][j] + lane[1][j]) + (lane[2][j] + lane[3][j]);
    while (lanes /= 2)
        for (j = 0; j < lanes; j++)
            lane[0][j] += lane[0][j + lanes];
    return lane[0][0];
}

/* The node of level k, place j: chunks from j * 2^k on, at most 2^k. */
static double node_sum(const void *x, size_t n, size_t bytes, unsigned k, size_t j)
{
    size_t chunk = CHUNK_BYTES / bytes, first = (j << k) * chunk, middle = first + (chunk << k) / 2;
    if (k == 0)
        return chunk_sum((const char *)x + first * bytes, n - first < chunk ? n - first : chunk, bytes);
    if (middle >= n)
        return node_sum(x, n, bytes, k - 1, 2 * j);
    return node_sum(x, n, bytes, k - 1, 2 * j) + node_sum(x, n, bytes, k - 1, 2 * j + 1);
}

/* The sum of n elements; of floats it is rounded to float at the end. */
static double reference_sum(const void *x, size_t n, size_t bytes)
{
    unsigned k = 0;
    while ((CHUNK_BYTES / bytes << k) < n)
        k++;
    return n ? node_sum(x, n, bytes, k, 0) : 0;
}
/* ---- */

#if defined(__clang__)
#pragma float_control(pop)
#else
#pragma GCC pop_options
#endif
#endif
