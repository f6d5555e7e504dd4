// C++, before anything else of the system.
#include "jitk.h"
#include "file.h"
#define FILE_NAME plain_cpp
#include "body.h"
