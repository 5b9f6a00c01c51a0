patchbay_add_plugin(csv-export SOURCES csv-export.c row.c output.c claim.c place.c file.c preview.c)
