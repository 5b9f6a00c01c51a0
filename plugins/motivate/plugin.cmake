patchbay_add_plugin(motivate
  SOURCES motivate.c events.c simulate.c api.c login.c answer.c text.c csv.c page.c path.c schedule.c poll.c enrich.c
          sink.c
  SAMPLES badge_earned.json course_completed.json course_pack_completed.json level_reached.json reward_redeemed.json
          ftp_job.json test_message.json)
