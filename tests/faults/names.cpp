#include <algorithm>

#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"
#include "tests/faults/fault.h"
#include "tests/faults/picture_bytes.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

constexpr char kTag[] = "<img src=x onerror=alert(1)>";
constexpr char kModel[] = "<svg onload=alert(2)>";
constexpr char kText[] = "<b>zq in-picture</b>";

PngChunk text_chunk(const std::string& keyword, const std::string& text) {
  return {"tEXt", text_bytes(keyword + '\0' + text)};
}

// An EXIF block whose ImageDescription is this.
FileBytes described(const std::string& text) {
  const auto size = static_cast<std::uint8_t>(text.size() + 1);
  const FileBytes head{'I', 'I',  42, 0, 8, 0,  0, 0, 1, 0, 0x0e, 0x01, 2,
                       0,   size, 0,  0, 0, 26, 0, 0, 0, 0, 0,    0,    0};
  FileBytes exif(head.size() + text.size() + 1);  // ends in 0
  std::ranges::copy(text, std::ranges::copy(head, exif.begin()).out);
  return exif;
}

// A folder's name ends in "<": with what is in it, a pattern makes names that begin "</script>".
void put_pictures(const fs::path& folder) {
  fs::create_directories(folder / "<");
  const std::vector<std::string> names = {"</script><script>alert(3)",
                                          kTag,
                                          "\x1b]0;title\x07\x1b[31mred",
                                          "=cmd|' C'!A0",
                                          "\"quoted\" & 'single'",
                                          "line\u2028end\r\n",
                                          "\\input{x}$^_#%",
                                          "a|b|`c`[d](e)"};
  unsigned seed = 0;
  const std::vector<PngChunk> texts = {text_chunk("Title", kText),
                                       text_chunk("parameters", fmt::format("{}\nSteps: 20", kText)),
                                       {"eXIf", described(kText)}};
  for (const std::string& name : names)
    write_bytes(folder / fmt::format("{}.png", name), png_of(random_raster(24, 20, 3, 8, ++seed), 2, texts));
  write_bytes(folder / "photo.jpg",
              jpeg_file(random_raster(24, 20, 3, 8, ++seed), {.exif = described(kText)}));
  write_bytes(folder / fmt::format("bad{}.png", kTag), FileBytes{});
  write_bytes(folder / "bad\x1b[2J.png", FileBytes{});
}

void put_names(const fs::path& folder) {
  put_pictures(folder / "p");
  fs::copy_file(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors",
                folder / fmt::format("{}.safetensors", kModel));
  write_text((folder / "s.yaml").string(),
             fmt::format("name: s\nimages: {{path: 'p/**/*', lr: {{scale: 2}}}}\n"
                         "pipeline: [{{upscale: {{model: [nearest, '{}.safetensors']}}}}]\n"
                         "metrics: [psnr-y]\ntiming: none\n",
                         kModel));
}

// Its end is beyond what a note shows of a prompt.
void put_prompt(const fs::path& folder) {
  const std::string prompt = "<b>low</b>" + std::string(250, ' ') + "zq-end";
  fs::create_directories(folder / "p");
  write_bytes(folder / "p/a.png",
              encode_png(random_raster(16, 16), {.text = {{"parameters", prompt + "\nSteps: 20"}}}));
  write_ldm_checkpoint(folder / "tiny.safetensors", 1);
  fs::create_directories(folder / "tokenizer");
  write_small_vocabulary(folder / "tokenizer");
  write_text((folder / "s.yaml").string(),
             "name: s\nimages: {path: p, lr: {scale: 2}}\npipeline:\n  - upscale: {model: lanczos}\n"
             "  - refine: {checkpoint: tiny.safetensors, denoise: 0.5, steps: 4, prompt: png-metadata}\n"
             "metrics: [psnr-y]\ntiming: none\n");
}

Fault shown(int row, const char* name, const char* input, std::vector<std::string> command, int exit_code,
            const char* message) {
  return {.row = row,
          .name = name,
          .input = input,
          .make = put_names,
          .command = std::move(command),
          .exit_code = exit_code,
          .message = message};
}

}  // namespace

FaultTable name_faults() {
  FaultTable table{
      .title = "Names, and texts within pictures",
      .introduction =
          "After a run over pictures and a model of hostile names (`s.yaml`), what is printed holds the "
          "message. Whatever a name holds, it stays text in every output: `tests/faults/names_test.cpp` "
          "reads them all, `tests/reports/escaping_test.cpp` has the single characters, and "
          "`tests/page/hostile_test.py` opens the page in a browser. Of the texts within pictures only a "
          "prompt is shown, where the spec asks for it, and of that the first 200 bytes.",
      .faults = {
          shown(121, "Markdown", "a file named bad<img src=x onerror=alert(1)>.png",
                {"report", "s.db", "--markdown", "-"}, 0, "&lt;img src=x onerror=alert(1)&gt;"),
          shown(121, "Csv", "a file named =cmd|' C'!A0.png", {"report", "s.db", "--csv", "-"}, 0,
                "'=cmd|' C'!A0"),
          shown(121, "Terminal", "a file whose name clears the screen", {"dataset", "check", "p"}, 2,
                "bad\\x1b[2J.png: undecodable: empty file"),
          shown(121, "Page", "a model named <svg onload=alert(2)>", {"report", "s.db", "--html", "r.html"}, 0,
                "&lt;svg onload=alert(2)&gt;"),
          shown(122, "Texts", "PNG with tEXt and EXIF, JPEG with EXIF: texts that nobody asked for", {}, 0,
                "(shown nowhere)"),
          shown(122, "Prompt", "PNG with <b> and 250 more bytes in its parameters, prompt: png-metadata", {},
                0, "&lt;b&gt;low&lt;/b&gt;"),
      }};
  table.faults[4].test = "Names.TextsWithinPicturesAreNotShown";
  table.faults[5].make = put_prompt;
  table.faults[5].test = "Prompts.OfPicturesAreEscapedAndCutShort";
  return table;
}

}  // namespace upbench::test
