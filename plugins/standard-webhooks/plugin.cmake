patchbay_add_plugin(standard-webhooks
  SOURCES standard-webhooks.c verify.c simulate.c
  SAMPLES contact_created.json invoice_paid.json cloudevent.json)
