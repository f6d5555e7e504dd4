/* jit_llvm: LLVM through its C interface: the function built as IR, its -O2 (or -O0) pipeline for this CPU, MCJIT. */
#include "jit.h"
#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/ExecutionEngine.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <string.h>

static LLVMValueRef expression(LLVMModuleRef m, LLVMBuilderRef b, LLVMTypeRef real, LLVMValueRef x, const jit_work *w)
{
    if (w->terms == 0) {
        LLVMTypeRef type = LLVMFunctionType(real, &real, 1, 0);
        LLVMValueRef root = LLVMAddFunction(m, "llvm.sqrt.f64", type);
        return LLVMBuildFMul(b, LLVMConstReal(real, 2), LLVMBuildCall2(b, type, root, &x, 1, ""), "");
    }
    LLVMValueRef sum = LLVMBuildFMul(b, LLVMConstReal(real, jit_constant(0)), x, "");
    for (size_t k = 1; k < w->terms; k++)
        sum = LLVMBuildFAdd(b, sum, LLVMBuildFMul(b, LLVMConstReal(real, jit_constant(k)), x, ""), "");
    return sum;
}

/* do { o[i] = E(x[i]); i++; } while (i < n), guarded by 0 < n. */
static void function(LLVMContextRef g, LLVMModuleRef m, LLVMBuilderRef b, const jit_work *w, const char *cpu)
{
    LLVMTypeRef real = LLVMDoubleTypeInContext(g), integer = LLVMInt64TypeInContext(g);
    LLVMTypeRef array = LLVMPointerType(real, 0), params[3] = {array, array, integer};
    LLVMValueRef f = LLVMAddFunction(m, "f", LLVMFunctionType(LLVMVoidTypeInContext(g), params, 3, 0));
    LLVMAddTargetDependentFunctionAttr(f, "target-cpu", cpu);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(g, f, "entry");
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(g, f, "body");
    LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(g, f, "done");
    LLVMValueRef zero = LLVMConstInt(integer, 0, 0), n = LLVMGetParam(f, 2);
    LLVMPositionBuilderAtEnd(b, entry);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSGT, n, zero, ""), body, done);
    LLVMPositionBuilderAtEnd(b, body);
    LLVMValueRef i = LLVMBuildPhi(b, integer, "");
    LLVMValueRef from = LLVMGetParam(f, 0), to = LLVMGetParam(f, 1);
    LLVMValueRef x = LLVMBuildLoad2(b, real, LLVMBuildGEP2(b, real, from, &i, 1, ""), "");
    LLVMBuildStore(b, expression(m, b, real, x, w), LLVMBuildGEP2(b, real, to, &i, 1, ""));
    LLVMValueRef next = LLVMBuildAdd(b, i, LLVMConstInt(integer, 1, 0), "");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, next, n, ""), body, done);
    LLVMValueRef values[2] = {zero, next};
    LLVMBasicBlockRef blocks[2] = {entry, body};
    LLVMAddIncoming(i, values, blocks, 2);
    LLVMPositionBuilderAtEnd(b, done);
    LLVMBuildRetVoid(b);
}

static bool optimize(LLVMModuleRef m, const char *passes, const char *cpu)
{
    char *triple = LLVMGetDefaultTargetTriple(), *features = LLVMGetHostCPUFeatures(), *message = NULL;
    LLVMTargetRef target;
    bool good = LLVMGetTargetFromTriple(triple, &target, &message) == 0;
    if (good) {
        LLVMTargetMachineRef t = LLVMCreateTargetMachine(target, triple, cpu, features, LLVMCodeGenLevelDefault,
                                                         LLVMRelocDefault, LLVMCodeModelJITDefault);
        LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
        LLVMErrorRef e = LLVMRunPasses(m, passes, t, o);
        if (e)
            LLVMConsumeError(e);
        good = !e;
        LLVMDisposePassBuilderOptions(o);
        LLVMDisposeTargetMachine(t);
    }
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(features);
    if (message)
        LLVMDisposeMessage(message);
    return good;
}

static bool run(LLVMModuleRef m, unsigned level, double *check)
{
    struct LLVMMCJITCompilerOptions o;
    LLVMInitializeMCJITCompilerOptions(&o, sizeof o);
    o.OptLevel = level;
    LLVMExecutionEngineRef e;
    char *message = NULL;
    if (LLVMCreateMCJITCompilerForModule(&e, m, &o, sizeof o, &message) != 0) {
        LLVMDisposeMessage(message);
        LLVMDisposeModule(m);
        return false;
    }
    uint64_t address = LLVMGetFunctionAddress(e, "f");
    if (address) {
        jit_fn f;
        double x = 2;
        memcpy(&f, &address, sizeof f);
        f(&x, check, 1);
    }
    LLVMDisposeExecutionEngine(e); /* and the module */
    return address != 0;
}

static bool compile(const jit_work *w, unsigned level, double *check)
{
    static bool started;
    if (!started) {
        LLVMLinkInMCJIT();
        LLVMInitializeNativeTarget();
        LLVMInitializeNativeAsmPrinter();
        started = true;
    }
    LLVMContextRef g = LLVMContextCreate();
    LLVMModuleRef m = LLVMModuleCreateWithNameInContext("m", g);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(g);
    char *cpu = LLVMGetHostCPUName();
    function(g, m, b, w, cpu);
    LLVMDisposeBuilder(b);
    bool good = level == 0 || optimize(m, "default<O2>", cpu);
    LLVMDisposeMessage(cpu);
    if (good)
        good = run(m, level, check);
    else
        LLVMDisposeModule(m);
    LLVMContextDispose(g);
    return good;
}

static bool compile_o0(const jit_work *w, double *check)
{
    return compile(w, 0, check);
}

static bool compile_o2(const jit_work *w, double *check)
{
    return compile(w, 2, check);
}

const jit_peer jit_llvm_o0 = {"LLVM -O0", false, compile_o0}, jit_llvm_o2 = {"LLVM -O2", false, compile_o2};
