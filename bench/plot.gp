# Speed against n, from bench.csv in `dir`: a picture for each of sum, dot and two maps in f64, with the bandwidth that
# hand-written loops reach in the same memory drawn as a dashed ceiling.
#   gnuplot -e "dir='bench/results'" bench/plot.gp
if (!exists("dir")) dir = '.'
csv = dir.'/bench.csv'
pick(section, row, type, who) = sprintf("< awk -F, '$1==\"%s\" && $2==\"\\\"%s\\\"\" && $3==\"%s\" && $6==\"%s\" {print $5, $8}' '%s'", \
    section, row, type, who, csv)

set style line 1 lc rgb '#c0392b' lw 3 pt 7 ps 0.6
set style line 2 lc rgb '#2471a3' lw 1.6 pt 5 ps 0.5
set style line 3 lc rgb '#28864f' lw 1.6 pt 9 ps 0.6
set style line 4 lc rgb '#8a6d3b' lw 1.6 pt 11 ps 0.6
set style line 5 lc rgb '#7f8c8d' lw 1.6 pt 13 ps 0.6
set style line 6 lc rgb '#333333' lw 1.4 dt 2
set logscale x 10
set logscale y 10
set format x '10^{%L}'
set grid ytics xtics lc rgb '#dddddd'
set key bottom left Left reverse font ',9' samplen 2
set xlabel 'n' offset 0,0.5
set ylabel 'GB/s' offset 1,0
set border 3
set tics nomirror
set yrange [1:500]
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500)

do for [form in 'svg png'] {
    if (form eq 'svg') { set terminal svg size 1000,760 font 'Helvetica,12' background rgb 'white' }
    if (form eq 'png') { set terminal pngcairo size 1500,1140 font 'Helvetica,16' background rgb 'white' }
    set output dir.'/speed.'.form
    set multiplot layout 2,2
    set title 'sum(x), double'
    plot pick('reduce', 'sum', 'f64', 'read') ls 6 w l title 'read bandwidth', \
         pick('reduce', 'sum', 'f64', 'gcc-O2') ls 5 w lp title 'gcc -O2 loop', \
         pick('reduce', 'sum', 'f64', 'clang-fast') ls 3 w lp title 'clang -O3 -march=native -ffast-math', \
         pick('reduce', 'sum', 'f64', 'OpenBLAS') ls 2 w lp title 'OpenBLAS', \
         pick('reduce', 'sum', 'f64', 'jitk') ls 1 w lp title 'jitk'
    set title 'dot(x, y), double'
    plot pick('reduce', 'dot', 'f64', 'read') ls 6 w l title 'read bandwidth', \
         pick('reduce', 'dot', 'f64', 'gcc-O2') ls 5 w lp title 'gcc -O2 loop', \
         pick('reduce', 'dot', 'f64', 'clang-fast') ls 3 w lp title 'clang -O3 -march=native -ffast-math', \
         pick('reduce', 'dot', 'f64', 'OpenBLAS') ls 2 w lp title 'OpenBLAS', \
         pick('reduce', 'dot', 'f64', 'jitk') ls 1 w lp title 'jitk'
    set title '2*x^{0.5}, double'
    plot pick('sweep', '2*x^0.5', 'f64', 'copy') ls 6 w l title 'copy bandwidth', \
         pick('sweep', '2*x^0.5', 'f64', 'gcc-O2') ls 5 w lp title 'gcc -O2 loop', \
         pick('sweep', '2*x^0.5', 'f64', 'gcc-O3') ls 4 w lp title 'gcc -O3 -march=native', \
         pick('sweep', '2*x^0.5', 'f64', 'clang-fast') ls 3 w lp title 'clang -O3 -march=native -ffast-math', \
         pick('sweep', '2*x^0.5', 'f64', 'jitk') ls 1 w lp title 'jitk'
    set title 'a*b+c, double'
    plot pick('sweep', 'a*b+c', 'f64', 'copy') ls 6 w l title 'copy bandwidth', \
         pick('sweep', 'a*b+c', 'f64', 'gcc-O2') ls 5 w lp title 'gcc -O2 loop', \
         pick('sweep', 'a*b+c', 'f64', 'gcc-O3') ls 4 w lp title 'gcc -O3 -march=native', \
         pick('sweep', 'a*b+c', 'f64', 'clang-fast') ls 3 w lp title 'clang -O3 -march=native -ffast-math', \
         pick('sweep', 'a*b+c', 'f64', 'jitk') ls 1 w lp title 'jitk'
    unset multiplot
    unset output
}
