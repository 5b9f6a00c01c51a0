patchbay_add_plugin(lms
  SOURCES lms.c events.c simulate.c
  SAMPLES course_completed.json course_completed-2019.json learning_path_completed.json quiz_attempt.json
          learning_path_other.json)
