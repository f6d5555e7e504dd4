/* The ordered list of the runtime's files: gen expands it into jitk.h, module tests include it as it is. The three
 * named_*.h are generated from kernels/ (jitk-gen named; the build puts them on the include path). */
#ifndef JITK_H
#define JITK_H
#include "api.h"
#include "named_api.h"
#ifndef JITK_DECLARATIONS_ONLY
#include "system.h"
#include "begin.h"

#include "front.h"
#include "named_tables.h"
#include "run.h"
#include "interp.c"
#include "reduce.c"
#include "asm/asm.h"
#include "asm/buffer.c"
#include "asm/encode.c"
#include "asm/general.c"
#include "asm/listing.c"
#include "cpu.h"
#include "cpu.c"
#include "x64/x64.h"
#include "x64/gen.h"
#include "x64/isa.c"
#include "x64/regs.c"
#include "x64/split.c"
#include "x64/select.c"
#include "x64/rare.c"
#include "x64/body.c"
#include "x64/fold.c"
#include "x64/loop.c"
#include "x64/skeleton.c"
#include "x64/map.c"
#include "x64/chunk.c"
#include "x64/entry.c"
#include "exec.h"
#include "exec.c"
#include "kernel/kernel.h"
#include "kernel/state.c"
#include "kernel/compile.c"
#include "kernel/value.c"
#include "kernel/args.c"
#include "kernel/run.c"
#include "kernel/quick.c"
#include "kernel/call.c"
#include "kernel/cache.c"
#include "kernel/function.c"
#include "kernel/info.c"
#include "kernel/named.c"
JK_DENSE_OPEN
#include "named_calls.h"
JK_DENSE_CLOSE

#include "end.h"
#endif /* JITK_DECLARATIONS_ONLY */
#endif /* JITK_H */
