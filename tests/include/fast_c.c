/* Compiled with -O3 -march=native -ffast-math. */
#include <stdio.h>
#include "jitk.h"
#include "file.h"
#define FILE_NAME fast_c
#include "body.h"
