# format-nonliteral is off: texts come from the catalogue (cli/texts.def), whose
# conversions a unit test compares.
# Every warning here has caught a bug in a C server. None may be silenced with a
# pragma; fix the code, or remove the flag for everybody with a reason.
add_compile_options(
  -Wall -Wextra -Wpedantic
  -Wshadow -Wundef -Wvla -Wredundant-decls
  -Wconversion -Wsign-conversion -Wdouble-promotion
  -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs
  -Wformat=2 -Wno-format-nonliteral -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum
  -fno-common -fstack-protector-strong -fvisibility=hidden)

if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches
                      -Wjump-misses-init -Wstringop-overflow=4 -fstack-clash-protection)
else()
  add_compile_options(-Wcomma -Wunreachable-code -Wassign-enum
                      -Wno-missing-field-initializers)
endif()

option(WERROR "treat warnings as errors (CI)" OFF)
if(WERROR)
  add_compile_options(-Werror)
endif()
