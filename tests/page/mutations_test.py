"""Each test of the pages is seen failing: on a page that is broken on purpose, in the way that the test is there to notice.

A mutation replaces a text of the page (its policy allows the broken scripts). It must be in the page, and the test must fail with it; that the test
passes without it is what its own run says. Every test has at least one.
"""
import importlib
import io
import sys
import unittest

import browser

# test: [(what, instead, and more such pairs where one alone does no harm), ...]
MUTATIONS = {
    "report_test.ReportTest": {
        "test_sorting_by_a_number_both_ways_starts_with_the_better_end": [("=== 'higher' ? 'descending' : 'ascending'", "=== 'lower' ? 'descending' : 'ascending'"),
                                                                          ("this.order = keyed.map(entry => entry.row);", "")],
        "test_rows_that_failed_stay_last_in_both_directions": [("row.dataset.status === 'failed' ? 2", "row.dataset.status === 'broken' ? 2")],
        "test_the_filter_keeps_rows_with_every_word_and_counts": [("this.words.every(", "this.words.some("), ("of ${all.length} rows", "of ${found.length} rows")],
        "test_a_column_can_be_hidden_and_the_csv_holds_the_rest_in_full": [("nth-child(${i + 1})", "nth-child(${i + 2})"), (".filter(column => !this.hidden?.has(column))", ""),
                                                                           ("lines.push(columns.map(column => csvField(cellValue(row.cells[column]))))", "lines.push(columns.map(column => csvField(row.cells[column].textContent)))")],
        "test_every_plot_is_drawn_with_its_marks_and_says_how_many": [("if (entry.isIntersecting) drawOnce", "if (entry.target.id < 'plot-3') drawOnce"), ("\"type\":\"tick\"", "\"type\":\"circle\"")],
        "test_a_point_of_quality_against_time_leads_to_its_row": [("row.classList.add('chosen')", "row.classList.add('other')"), ("item?.datum?.row && upbench", "false && upbench")],
        "test_axe_finds_nothing": [("<html lang=\"en\">", "<html>"), ("{type: 'search', placeholder: 'Filter rows', 'aria-label': `Filter rows of ${name} by words`}", "{type: 'search'}"), ("target.querySelector('summary')?.setAttribute", "target.querySelector('nothing')?.setAttribute")],
        "test_the_run_view_says_how_the_run_came_about": [("id=\"table-plan\"", "id=\"table-other\"")],
        "test_each_link_of_the_first_screen_leads_somewhere": [("<h2 id=\"ranking\">", "<h2 id=\"other\">")],
    },
    "report_test.DarkTest": {"test_axe_finds_nothing_in_the_dark": [("--faint: #a0a8b1", "--faint: #3a4048")]},
    "report_test.WithoutScriptTest": {"test_answers_and_tables_can_be_read": [("<ul class=\"findings\">", "<ul class=\"findings\" hidden>")]},
    "plots_test.PlotsTest": {
        "test_a_grid_of_tiles_has_a_field_a_pair_with_its_number_in_it": [("\"type\":\"rect\"", "\"type\":\"square\""), ("\"field\":\"shown\"", "\"field\":\"showm\"")],
        "test_artifact_rates_have_a_point_a_cell_over_the_whole_range": [("\"domain\":[0,1]", "\"domain\":[0.5,1]"), ("\"field\":\"rate\"", "\"field\":\"rat\"")],
        "test_every_lap_of_the_model_time_is_a_tick": [("\"type\":\"tick\"", "\"type\":\"circle\"")],
        "test_costs_grow_from_size_to_size": [("\"field\":\"megapixels\"", "\"field\":\"megapixel\"")],
        "test_a_history_has_a_point_a_run_under_its_own_heading": [("id=\"history\">History<", "id=\"history\">Plots<")],
        "test_metrics_share_one_sigma_with_the_tools_strengths_above": [("\"field\":\"row\"", "\"field\":\"rows\""), ("\"field\":\"name\"", "\"field\":\"nam\"")],
        "test_axe_finds_nothing": [("<html lang=\"en\">", "<html>")],
    },
    "viewer_test.ViewerTest": {
        "test_every_method_the_reference_and_the_input_have_a_pane_with_scores": [("scoreText(scores[m] ?? null, metric)", "metric.name")],
        "test_zoom_is_in_whole_device_pixels": [("context.imageSmoothingEnabled = zoom < 1;", "context.imageSmoothingEnabled = true;"), ("1 / 2, 1, 2, 3, 4, 6, 8,", "1 / 2, 1, 2, 3, 4, 6, 7.3,")],
        "test_panes_move_together": [("draw() { for (const pane of this.panes) this.drawPane(pane); }", "draw() { this.drawPane(this.panes[0]); }")],
        "test_difference_of_a_picture_with_itself_is_black_and_gain_multiplies": [("context.globalCompositeOperation = 'difference';", ""), ("gain > 1; gain /= 2", "gain > 2; gain /= 2")],
        "test_heat_map_colours_the_difference": [("state.heat ? 'url(#upbench-heat)' : ''", "state.heat ? '' : ''"), ("id: 'upbench-heat'", "id: 'upbench-hat'"), ("'0 0.48 0.3 0.1 0.92'", "'0 0.04 0.3 0.1 0.92'")],
        "test_boxes_of_detectors_are_drawn_until_marks_are_off": [("if (state.boxes) this.drawBoxes", "this.drawBoxes"), ("outline(box.rect, '#56b4e9');", "")],
        "test_the_map_of_what_a_detector_flagged_glows_over_the_dimmed_picture": [("this.drawMap(context, id, left, top, zoom);", ""), ("'rgba(0, 0, 0, 0.6)'", "'rgba(0, 0, 0, 0.1)'"),
                                                                                  ("context.globalCompositeOperation = 'lighter';\n      context.imageSmoothingEnabled", "context.globalAlpha = 0;\n      context.imageSmoothingEnabled"),
                                                                                  ("`${kind}: black ${map.black}, white", "`${kind}: white")],
        "test_local_scores_glow_where_a_method_errs_on_one_scale_for_all": [("this.drawMap(context, id, left, top, zoom);", ""), ("map.white < map.black", "map.white > map.black"), ("map.kind === this.state.map && id === `m${map.method + 1}`", "map.kind === this.state.map")],
        "test_the_worst_places_of_a_detector_lead_to_its_boxes": [("...place.flagged && {map: about.name}", ""), ("place.flagged ? 'flagged' : 'not flagged'", "'not flagged'"), ("a.rank - b.rank", "b.rank - a.rank")],
        "test_slider_shows_a_on_the_left_and_b_on_the_right": [("[[state.a, 0, split], [state.b, split, width]]", "[[state.b, 0, split], [state.a, split, width]]")],
        "test_keys_work_only_while_the_panes_have_the_focus": [("this.area.addEventListener('keydown'", "document.addEventListener('keydown'", "|| event.target !== this.area", ""), ("(Number(digit[1]) + 9) % 10", "(Number(digit[1]) + 8) % 10")],
        "test_a_worst_place_opens_its_scene_marked_and_by_link": [("if (this.state.mark) outline(this.state.mark, '#ffd54a');", ""), ("this.lookAt(mark);", ";")],
        "test_the_links_order_is_that_of_the_distance": [("a.rank - b.rank", "b.rank - a.rank")],
        "test_crops_are_embedded_and_whole_pictures_lie_beside": [("picture.src = typeof source === 'string' ? source", "picture.src = typeof source === 'string' ? 'data:,'")],
    },
    "viewer_test.PhoneTest": {"test_the_page_is_as_wide_as_the_phone": [(".panes { display: grid;", ".panes { min-width: 700px; display: grid;")]},
    "hostile_test.HostileTest": {
        "test_no_element_or_attribute_that_the_report_does_not_write": [("<h1>", "<h1 onclick=\"alert(1)\">"), ("<h1>", "<img alt=\"\"><h1>")],
        "test_names_are_text_everywhere_and_nothing_of_them_runs": [("this.status.textContent = `${this.sceneName", "this.status.innerHTML = `${this.sceneName"), ("&lt;img src=x", "<img src=x")],
        "test_a_script_that_the_page_does_not_know_is_refused": [("http-equiv=\"Content-Security-Policy\"", "http-equiv=\"other\"")],
    },
    "review_test.Review": {
        "test_keys_label_and_undo": [("at + 1} of", "at} of")],
        "test_a_second_label_replaces_the_first_and_undo_brings_it_back": [("labelled: ${labels.get(at)}", "labelled")],
        "test_pictures_are_shown": [("Review: ", "Pictures: ")],
        "test_labels_go_back_into_a_calibration": [("\"flagged\":", "\"flaged\":")],
        "test_nothing_stands_in_the_way_of_keyboard_and_screen_reader": [("<html lang=\"en\">", "<html>")],
    },
}


def tests_of(case):
    return unittest.defaultTestLoader.getTestCaseNames(case)


class Mutations(unittest.TestCase):
    def run_broken(self, case, test, mutation):
        browser.breaking, browser.broken = mutation, 0
        try:
            result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.TestSuite([case(test)]))
        finally:
            browser.breaking = None
        self.assertGreater(browser.broken, 0, f"{test}: {mutation[0]!r} is not in the page")
        self.assertEqual(result.testsRun, 1)
        self.assertFalse(result.wasSuccessful(), f"{test} passes although {mutation[0]!r} became {mutation[1]!r}")


def add_tests(name):
    """One test of the tests in a module: what it sets up is set up once."""
    module = importlib.import_module(name)

    def check(self):
        set_up, tear_down = getattr(module, "setUpModule", None), getattr(module, "tearDownModule", None)
        module.setUpModule = module.tearDownModule = lambda: None
        if set_up:
            set_up()
        try:
            for class_name, mutations in MUTATIONS.items():
                if not class_name.startswith(name + "."):
                    continue
                case = getattr(module, class_name.split(".")[1])
                for test in tests_of(case):
                    with self.subTest(test=test):
                        self.assertIn(test, mutations, "a test that was never seen failing")
                    for mutation in mutations.get(test, []):
                        with self.subTest(test=test, broken=mutation[0]):
                            self.run_broken(case, test, mutation)
        finally:
            if tear_down:
                tear_down()
        known = {value.__name__ for value in vars(module).values() if isinstance(value, type) and issubclass(value, browser.PageTest) and tests_of(value)}
        self.assertEqual(known - {"PageTest"}, {key.split(".")[1] for key in MUTATIONS if key.startswith(name + ".")} , "classes of tests")

    setattr(Mutations, f"test_{name}", check)


for module_name in sorted({key.split(".")[0] for key in MUTATIONS}):
    add_tests(module_name)

if __name__ == "__main__":
    sys.exit(browser.main())
