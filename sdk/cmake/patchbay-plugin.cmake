# How a plugin is built, in Patchbay's own tree and outside of it:
#
#   patchbay_add_plugin(NAME SOURCES FILE... [SAMPLES FILE...] [LIBS TARGET...])
#
# makes NAME.so, which exports one symbol and links alone, and installs it where patchbay looks for plugins.
# SOURCES are seen from the folder of the file that calls this, SAMPLES from its folder samples/: their texts become
# `static const char` arrays in a samples.h for the sources to include (order_paid.json -> sample_order_paid).
#
#   patchbay_test_plugin(NAME [TESTS FILE...])
#
# has ctest check NAME.so as `patchbay plugin check` does, and run each FILE of tests with `patchbay test`.
#
# Who includes this file has set
#   PATCHBAY_SHARE      the folder of plugin.map and samples.sh
#   PATCHBAY_PLUGINDIR  the folder to install into; -DPATCHBAY_PLUGINDIR=... chooses another one
#   PATCHBAY_PLUGINS    the folder of the plugins that came with patchbay
#   PATCHBAY_PROGRAM    patchbay itself
function(patchbay_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;SAMPLES;LIBS")
  if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
    message(FATAL_ERROR "patchbay_add_plugin: '${name}' cannot name a plugin; use a-z, 0-9 and '-', a letter first")
  endif()
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "patchbay_add_plugin(${name} SOURCES FILE... [SAMPLES FILE...] [LIBS TARGET...]): "
                        "this is how to call it; not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/ REGEX "^[^/]") # what is made has an absolute path
  list(TRANSFORM arg_SAMPLES PREPEND ${CMAKE_CURRENT_LIST_DIR}/samples/)

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE patchbay::sdk ${arg_LIBS})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    LINK_DEPENDS ${PATCHBAY_SHARE}/plugin.map)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -Wcast-qual -Wpointer-arith -Wformat=2 -Wvla
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
  target_link_options(${name} PRIVATE -Wl,--version-script=${PATCHBAY_SHARE}/plugin.map -Wl,--exclude-libs,ALL)
  if(NOT PATCHBAY_SANITIZE AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE -Wl,-z,defs) # the sanitizers' runtime is found in the host
  endif()
  # Whatever the umask: patchbay takes no code that others may write to.
  add_custom_command(TARGET ${name} POST_BUILD COMMAND chmod go-w $<TARGET_FILE:${name}> VERBATIM)
  if(arg_SAMPLES)
    set(made ${CMAKE_CURRENT_BINARY_DIR}/${name}-samples)
    file(MAKE_DIRECTORY ${made})
    add_custom_command(OUTPUT ${made}/samples.h
      COMMAND sh ${PATCHBAY_SHARE}/samples.sh ${arg_SAMPLES} > ${made}/samples.h
      DEPENDS ${arg_SAMPLES} ${PATCHBAY_SHARE}/samples.sh
      COMMENT "Embedding the samples of ${name}" VERBATIM)
    target_sources(${name} PRIVATE ${made}/samples.h)
    target_include_directories(${name} PRIVATE ${made})
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${PATCHBAY_PLUGINDIR} COMPONENT runtime)
endfunction()

function(patchbay_test_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "TESTS")
  # The same random inputs each time: what is tried here is the change since the last time. By hand they differ.
  add_test(NAME conform.${name} COMMAND ${PATCHBAY_PROGRAM} plugin check --seed 1 $<TARGET_FILE:${name}>)
  set_tests_properties(conform.${name} PROPERTIES LABELS conform TIMEOUT 600)
  foreach(file IN LISTS arg_TESTS)
    get_filename_component(stem ${file} NAME_WE)
    add_test(NAME ${name}.${stem} COMMAND ${PATCHBAY_PROGRAM} test ${CMAKE_CURRENT_LIST_DIR}/${file})
    set_tests_properties(${name}.${stem} PROPERTIES
      ENVIRONMENT "PATCHBAY_PLUGIN_PATH=$<TARGET_FILE_DIR:${name}>:${PATCHBAY_PLUGINS}")
  endforeach()
endfunction()
