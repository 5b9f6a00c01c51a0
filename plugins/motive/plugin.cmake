patchbay_add_plugin(motive
  SOURCES motive.c events.c simulate.c
  SAMPLES vehicle_location_updated.json vehicle_location_received.json vehicle_upserted.json user_upserted.json
          fault_code_opened.json fault_code_closed.json inspection_report_upserted.json hos_violation_upserted.json
          vehicle_geofence_event.json asset_geofence_event.json engine_toggle_event.json engine_toggle_event_off.json
          driver_performance_event_created.json driver_performance_event_updated.json
          speeding_event_created.json speeding_event_updated.json ping.json ping_bare.txt)
