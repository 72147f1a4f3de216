// The bytes of metrics/artifacts/calibration.json.
  .section .rodata
  .global upbench_artifact_calibration
  .global upbench_artifact_calibration_end
upbench_artifact_calibration: .incbin "calibration.json"
upbench_artifact_calibration_end: .byte 0
