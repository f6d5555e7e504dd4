"""The numexpr side of the benchmark: reads orders from stdin, one a line, and answers each with one line on stdout.

  setup ROW TYPE N    makes arrays and compiles the expression; answers "ok"
  run REPS            evaluates it REPS times; answers the nanoseconds that took
  compile REPS        takes 2*x**0.5 from its text to something callable REPS times; the same
"""
import sys
import time

import numexpr
import numpy

numexpr.set_num_threads(1)

# Constants stand in variables: numexpr computes in double once a literal has a point.
ROWS = {
    "root": ("2*x**0.5", 1),
    "blend": ("2*a+3*b", 2),
    "muladd": ("a*b+c", 3),
    "quotient": ("(a-b)/(a+b)", 2),
    "poly": ("k1*x**3+k2*x**2-k3*x-2", 1),
    "select": ("where(x>0, sqrt(x), -x)", 1),
    "sqdiff": ("sum((a-b)**2)", 2),
    "sum": ("sum(x)", 1),
    "dot": ("sum(a*b)", 2),
}


class Job:
    def __init__(self, row, kind, n):
        self.text, inputs = ROWS[row]
        dtype = numpy.float64 if kind == "f64" else numpy.float32
        random = numpy.random.default_rng(1)
        self.names = {}
        for name in ["x"] if inputs == 1 else ["a", "b", "c"][:inputs]:
            values = random.random(n, dtype=dtype)
            self.names[name] = values * 2 - 1 if row == "select" else values + dtype(0.5)
        for name, value in (("k1", 0.25), ("k2", 0.75), ("k3", 1.5)):
            self.names[name] = dtype(value)
        self.out = None if self.text.startswith("sum") else numpy.empty(n, dtype)
        numexpr.evaluate(self.text, local_dict=self.names, out=self.out)

    def run(self, reps):
        evaluate, names = numexpr.re_evaluate, self.names  # keeps the expression and `out` of the last evaluate
        start = time.thread_time_ns()
        for _ in range(reps):
            evaluate(local_dict=names)
        return time.thread_time_ns() - start


def compile_often(reps):
    signature = [("x", numpy.float64)]
    start = time.thread_time_ns()
    for _ in range(reps):
        numexpr.NumExpr("2*x**0.5", signature)
    return time.thread_time_ns() - start


def main():
    job = None
    print("ready", numexpr.__version__, flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "setup":
            job = None
            job = Job(words[1], words[2], int(words[3]))
            print("ok", flush=True)
        elif words[0] == "run":
            print(job.run(int(words[1])), flush=True)
        else:
            print(compile_often(int(words[1])), flush=True)


main()
