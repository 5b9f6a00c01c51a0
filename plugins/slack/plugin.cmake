patchbay_add_plugin(slack SOURCES slack.c text.c message.c digest.c answer.c)
