#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

// Where the files of a set come from. Torch-free; nothing is opened but lists.
namespace upbench {

struct PictureFile {
  std::string
      name;  // the file's name without its suffix; with the folders that a pattern went through: "cats/1"
  std::filesystem::path file;
};

struct FoundPictures {
  std::vector<PictureFile> pictures;  // by name, then file (bytes compared, so the same on every machine)
  // Files beside them that are not named as pictures, by suffix (lower case; empty: they have none).
  std::map<std::string, std::size_t> left_out;
};

// Named as a picture of some kind, also of those that upbench cannot decode: such a file is an item that
// fails with that reason, because leaving it out silently would shrink the set. Hidden files are none, nor
// are camera raws, which mostly lie beside a picture of the same name.
bool is_picture_name(const std::filesystem::path& file);

bool is_folder(const std::filesystem::path& path);

// A folder's pictures, not those of folders within; or one file, whatever its name; or, where no file has
// that very name, the pictures that fit a pattern:
//   *  any characters of one name     ?  one character     [a-z]  one of these ([*] is a star)
//   ** any number of folders, none too; folders behind symbolic links are not entered
// Hidden names (".x") fit only a pattern that writes the dot. left_out is of a folder itself or of what fits
// the pattern; hidden files and those of a list are not in it. Throws std::invalid_argument where there is
// nothing, no picture, or a folder cannot be listed. A file named .txt is a list: see listed_pictures.
FoundPictures find_pictures(const std::filesystem::path& source);

// A text file with one path a line, relative to it; empty lines and lines that begin with # do not count.
// Throws std::invalid_argument where it names nothing, std::runtime_error where it cannot be read.
FoundPictures listed_pictures(const std::filesystem::path& list);
FoundPictures listed_pictures(const std::vector<std::filesystem::path>& files);

// "2 .txt, 1 .db, 1 without a suffix": the commonest six kinds, then the others together. One line of bounded
// length, whatever the suffixes hold.
std::string describe_left_out(const std::map<std::string, std::size_t>& files);

}  // namespace upbench
