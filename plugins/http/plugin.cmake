patchbay_add_plugin(http SOURCES http.c cloudevent.c answer.c)
