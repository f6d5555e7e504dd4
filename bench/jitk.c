/* The one file of the program that holds jitk's implementation. */
#include "jitk.h"
