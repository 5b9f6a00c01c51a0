/* executable_stack.c - asks for an executable stack (it is linked so).
 * Caught by: file.loads. */
#include "source.h"

SOURCE_PLUGIN("executable-stack");
