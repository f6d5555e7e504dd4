/* The body of one file's function; jitk.h is included before this. */
file_answers FILE_NAME(const double *x, size_t n)
{
    file_answers a;
    jitk_info_t info;
    float f[3] = {1, 2, 3};
    long few = 3;
    a.sum = jitk_sum(x, n) + (double)jitk_sum(f, few);
    a.mean = jitk_mean(x, n);
    a.status = (unsigned)jitk_eval("(x[]) = sum(x*x) / 3 + 0.1", n, x, &a.eval);
    if (a.status == JITK_OK)
        a.status = (unsigned)jitk_eval("(x[]) = sum(isnan(x - x + 0/0 * x) ? 1 : 0)", n, x, &a.nan_kept);
    a.version = (void (*)(void))jitk_version;
    jitk_info(&info);
    a.cached = info.cached;
    return a;
}
