/* jitk.h - array expressions compiled to machine code at run time, from one header. */
#ifndef JITK_API_H
#define JITK_API_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JITK_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { JITK_F64, JITK_F32, JITK_I64, JITK_I32, JITK_U8 } jitk_type;
typedef enum { JITK_ISA_AUTO, JITK_ISA_INTERP, JITK_ISA_SCALAR, JITK_ISA_SSE2, JITK_ISA_AVX2, JITK_ISA_AVX512 } jitk_isa;
enum { JITK_STRICT = 1, JITK_CONTRACT = 2, JITK_COMPENSATED = 4, JITK_EXACT = 8 };
typedef enum {
    JITK_OK, JITK_ERR_SYNTAX, JITK_ERR_NAME, JITK_ERR_TYPE, JITK_ERR_ARGS, JITK_ERR_LIMIT, JITK_ERR_NOMEM, JITK_ERR_EXEC,
    JITK_ERR_UNSUPPORTED
} jitk_status;
typedef struct jitk_error {
    jitk_status status;
    size_t line, column, length; /* 1-based, in bytes */
    char message[256];
} jitk_error;
typedef struct jitk_kernel jitk_kernel;
typedef struct jitk_ast jitk_ast;

#ifdef __cplusplus
}
#endif
#endif
