patchbay_add_plugin(motivate
  SOURCES motivate.c events.c simulate.c
  SAMPLES badge_earned.json course_completed.json course_pack_completed.json level_reached.json reward_redeemed.json
          ftp_job.json test_message.json)
