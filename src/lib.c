/* libjitk: the implementation of jitk.h as a library, for programs that include it with JITK_DECLARATIONS_ONLY. */
#include "../jitk.h"
