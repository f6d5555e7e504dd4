// Inside extern "C", as a C library's header may include it.
extern "C" {
#include "jitk.h"
#include "file.h"
#define FILE_NAME extern_c_cpp
#include "body.h"
}
