// C++: the same calls; templates in the place of macros, std::vector by its data().
//
// Prints:
// 7 11 15
// argmax 2, dot 74
#include "jitk.h"
#include <vector>

int main()
{
    std::vector<float> x{1, 2, 3}, y{5, 7, 9}, out(3);
    if (jitk_eval("a*x + y", x.size(), 2, x.data(), y.data(), out.data()) != JITK_OK) {
        jitk_error_print(jitk_last_error(), "a*x + y", stderr);
        return 1;
    }
    printf("%g %g %g\n", double(out[0]), double(out[1]), double(out[2]));
    printf("argmax %td, dot %g\n", jitk_argmax(out.data(), out.size()), double(jitk_dot(out.data(), x.data(), 3)));
}
