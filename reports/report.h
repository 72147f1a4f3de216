#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "reports/history.h"
#include "reports/load_run.h"
#include "reports/pictures/gallery.h"
#include "reports/run_data.h"

// Everything that `upbench report` writes. All from the store's rows; the same rows give the same bytes.
namespace upbench {

std::string report_markdown(const RunData& data);
std::string report_csv(
    const RunData& data);  // one row a trial, every axis; measured costs in columns that start with cost_
std::string report_json(const RunData& data);  // findings, facts, every table and every trial
// The same piece by piece: what holds every trial needs no memory for all of them.
using TextSink = std::function<void(std::string_view)>;
void write_csv(const RunData& data, const TextSink& sink);
void write_json(const RunData& data, const TextSink& sink);
std::string report_latex(const RunData& data);  // ranking, comparison, sweet spots, axes
// history: its plots come into the page, too.
std::string report_html(const RunData& data, const GalleryOptions& pictures = {},
                        const HistoryReport* history = nullptr);
std::string report_ranking_text(const RunData& data);  // with the findings, for a terminal, after a run

// Writes NAME.vl.json for every plot, and of the history where one is given; the folder is made where it is
// absent. scripts/render_plots.py draws them as SVG, PNG and PDF.
void write_plots(const RunData& data, const std::filesystem::path& folder,
                 const HistoryReport* history = nullptr);

}  // namespace upbench
