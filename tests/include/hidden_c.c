/* Compiled with -fvisibility=hidden. */
#include <stdio.h>
#include "jitk.h"
#include "file.h"
#define FILE_NAME hidden_c
#include "body.h"
