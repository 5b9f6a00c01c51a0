# Puts the templates of `patchbay plugin new` into the program, so that it works installed and from the build tree alike:
# patchbay_embed_templates(VARIABLE) writes a C file with all of them (see core/cli/template.h) and sets VARIABLE to its
# path. Folders: both/ is for every plugin, source/ and sink/ for those that have that side.
function(patchbay_embed_templates variable)
  set(root ${PROJECT_SOURCE_DIR}/sdk/template)
  file(GLOB_RECURSE files RELATIVE ${root} CONFIGURE_DEPENDS ${root}/both/* ${root}/source/* ${root}/sink/*)
  set(texts "")
  set(table "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${file})
    string(REGEX MATCH "^([^/]+)/(.+)$" file ${file})
    set(side ${CMAKE_MATCH_1})
    set(path ${CMAKE_MATCH_2})
    string(MAKE_C_IDENTIFIER ${file} id)
    file(READ ${root}/${file} hex HEX)
    string(REGEX REPLACE "(..)" "(char)0x\\1," bytes "${hex}")
    string(APPEND texts "static const char ${id}[] = { ${bytes} };\n")
    string(APPEND table "\t{ \"${side}\", \"${path}\", { ${id}, sizeof(${id}) } },\n")
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/template_files.c)
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT "#include \"cli/template.h\"\n\n${texts}
const struct template_file template_files[] = {\n${table}};
const size_t template_n_files = sizeof(template_files) / sizeof(template_files[0]);\n")
  set(${variable} ${made} PARENT_SCOPE)
endfunction()
