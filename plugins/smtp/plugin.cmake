patchbay_add_plugin(smtp
  SOURCES smtp.c options.c compose.c preview.c message.c encode.c address.c session.c outcome.c watch.c reply.c delivered.c buffer.c
  LIBS PkgConfig::CURL)
