// The bytes of reports/assets/ and the exported bundle between upbench_NAME and upbench_NAME_end.
#define ASSET(name, file)          \
  .global upbench_##name;          \
  .global upbench_##name##_end;    \
  upbench_##name: .incbin file;    \
  upbench_##name##_end: .byte 0;

  .section .rodata
ASSET(report_html, "report.html")
ASSET(report_css, "report.css")
ASSET(main_js, "main.js")
ASSET(plots_js, "plots.js")
ASSET(table_js, "table.js")
ASSET(viewer_controls_js, "viewer_controls.js")
ASSET(viewer_js, "viewer.js")
ASSET(licences_txt, "licences.txt")
ASSET(vega_bundle_js, "vega.bundle.js")
  .section .note.GNU-stack, "", %progbits
