/* Nothing said: jitk.h as it comes. */
#include <stdio.h>
#include "jitk.h"
#include "file.h"
#define FILE_NAME plain_c
#include "body.h"
