/* Declarations alone: the implementation comes from another file of the program, or from libjitk. */
#define JITK_DECLARATIONS_ONLY
#include "jitk.h"
#include "file.h"
#define FILE_NAME declared_c
#include "body.h"
