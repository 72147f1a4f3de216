#include "models/checkpoint/unpickler.h"

#include <bit>
#include <map>
#include <string_view>
#include <unordered_map>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/pickle_globals.h"
#include "models/checkpoint/pickle_opcodes.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::size_t kMaxValues = 2'000'000;
constexpr std::size_t kMaxMarks = 1'000;
constexpr std::size_t kMaxRecalls = 8'000'000;

class Unpickler {
 public:
  explicit Unpickler(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  Pickle run() {
    try {
      if (read_byte() != std::uint8_t(Opcode::proto)) refuse("expected a pickle of protocol 2 to 5");
      if (const int version = read_byte(); version < 2 || version > 5)
        refuse("protocol {}, expected 2 to 5", version);
      while (step(read_opcode())) {
      }
      check_classes();
    } catch (const std::invalid_argument& error) {
      refuse("pickle byte {}: {}", last_opcode_, error.what());
    }
    pickle_.bytes = at_;
    return std::move(pickle_);
  }

 private:
  // False: the pickle is complete.
  bool step(Opcode opcode) {
    if (opcode == Opcode::stop) {
      pickle_.root = pop();
      if (!stack_.empty()) refuse("{} values left on the stack at its end", stack_.size());
      return false;
    }
    if (!push_constant(opcode) && !build_container(opcode) && !use_memo(opcode) && !make_object(opcode)) {
      refuse("opcode {} is not allowed in a checkpoint", opcode_name(opcode));
    }
    return true;
  }

  bool push_constant(Opcode opcode) {
    switch (opcode) {
      case Opcode::none:
        return push(PickleNone{});
      case Opcode::newtrue:
        return push(true);
      case Opcode::newfalse:
        return push(false);
      case Opcode::binint:
        return push(std::int64_t{static_cast<std::int32_t>(little_endian_32(take(4).data()))});
      case Opcode::binint1:
        return push(std::int64_t{read_byte()});
      case Opcode::binint2:
        return push(std::int64_t{little_endian_16(take(2).data())});
      case Opcode::long1:
        return push_long(take(read_byte()));
      case Opcode::binfloat:
        return push(std::bit_cast<double>(__builtin_bswap64(little_endian_64(take(8).data()))));
      case Opcode::binunicode:
      case Opcode::binstring:
        return push(text(take(little_endian_32(take(4).data()))));
      case Opcode::short_binunicode:
      case Opcode::short_binstring:
        return push(text(take(read_byte())));
      case Opcode::empty_dict:
        return push(PickleDict{});
      case Opcode::empty_list:
        return push(PickleList{});
      case Opcode::empty_tuple:
        return push(PickleTuple{});
      case Opcode::empty_set:
        return push(PickleSet{});
      default:
        return false;
    }
  }

  bool build_container(Opcode opcode) {
    switch (opcode) {
      case Opcode::mark:
        return set_mark();
      case Opcode::tuple:
        return push(PickleTuple{pop_to_mark()});
      case Opcode::tuple1:
        return push(PickleTuple{pop_last(1)});
      case Opcode::tuple2:
        return push(PickleTuple{pop_last(2)});
      case Opcode::tuple3:
        return push(PickleTuple{pop_last(3)});
      case Opcode::append:
        return append(pop_last(1));
      case Opcode::appends:
        return append(pop_to_mark());
      case Opcode::setitem:
        return set_items(pop_last(2));
      case Opcode::setitems:
        return set_items(pop_to_mark());
      default:
        return false;
    }
  }

  bool use_memo(Opcode opcode) {
    switch (opcode) {
      case Opcode::binget:
        return recall(read_byte());
      case Opcode::long_binget:
        return recall(little_endian_32(take(4).data()));
      case Opcode::binput:
        return remember(read_byte());
      case Opcode::long_binput:
        return remember(little_endian_32(take(4).data()));
      case Opcode::memoize:
        return remember(static_cast<std::uint32_t>(memo_.size()));
      case Opcode::frame:
        if (little_endian_64(take(8).data()) > bytes_.size() - at_) refuse("a frame leaves the pickle");
        return true;
      default:
        return false;
    }
  }

  bool make_object(Opcode opcode) {
    switch (opcode) {
      case Opcode::global: {
        const std::string module = read_line();
        return push_global(module, read_line());
      }
      case Opcode::stack_global: {
        const auto parts = pop_last(2);
        const auto *module = parts[0]->as<std::string>(), *attribute = parts[1]->as<std::string>();
        if (!module || !attribute) refuse("STACK_GLOBAL takes two texts");
        return push_global(*module, *attribute);
      }
      case Opcode::reduce:
      case Opcode::newobj:
        return call(opcode);
      case Opcode::build:
        return build(*pop());
      case Opcode::binpersid: {
        if (const PickleGlobal* type = module_class_of(*top())) return pop(), push(PickleGlobal{*type});
        StorageRef storage = storage_of(*pop());
        const auto [known, is_new] = pickle_.storages.emplace(storage.key, storage);
        if (!is_new && known->second != storage)
          refuse("storage '{}' has two types or sizes", printable(storage.key));
        return push(std::move(storage));
      }
      default:
        return false;
    }
  }

  bool call(Opcode opcode) {
    const auto parts = pop_last(2);
    const auto* function = parts[0]->as<PickleGlobal>();
    const auto* arguments = parts[1]->as<PickleTuple>();
    if (!function || !arguments) refuse("{} takes a global and a tuple", opcode_name(opcode));
    if (opcode == Opcode::newobj && !is_known_global(function->name)) {
      if (!arguments->items.empty()) check_global(function->name);  // refuses
      ++unbuilt_modules_;
      classes_.at(function->name).is_used = true;
      return push(PickleModule{function->name});
    }
    if (opcode == Opcode::newobj && function->name != "collections.OrderedDict") {
      refuse("NEWOBJ of '{}', expected collections.OrderedDict", printable(function->name));
    }
    PickleValue result = call_global(function->name, *arguments);
    if (const auto* dictionary = result.as<PickleDict>()) spend(dictionary->items.size());
    if (const auto* set = result.as<PickleSet>()) spend(set->items.size());
    if (const auto* tuple = result.as<PickleTuple>()) spend(tuple->items.size());
    return push(std::move(result.content));
  }

  bool push_global(const std::string& module, const std::string& attribute) {
    std::string name = module + "." + attribute;
    if (!is_known_global(name)) classes_.try_emplace(name, ClassName{.byte = last_opcode_});
    return push(PickleGlobal{std::move(name)});
  }

  // State for what is on top of the stack: attributes of an OrderedDict (`_metadata`) and the flags of a
  // parameter, in which nothing concerns tensors, or the attributes of a module.
  bool build(const PickleValue& state) {
    const auto* attributes = state.as<PickleDict>();
    if (auto* module = std::get_if<PickleModule>(&top()->content)) {
      if (module->attributes) refuse("BUILD of one object twice");
      for (const char* part : {"_parameters", "_buffers", "_modules"}) {
        const PickleValue* value = attributes ? find_item(*attributes, part) : nullptr;
        if (!value || !value->as<PickleDict>()) refuse_object(module->type);
      }
      module->attributes = attributes;
      --unbuilt_modules_;
      return true;
    }
    const bool is_parameter = top()->as<TensorRef>() && is_parameter_state(state);
    if (!is_parameter && !(top()->as<PickleDict>() && attributes))
      refuse("BUILD of something else than a dictionary");
    return true;
  }

  // (requires_grad, volatile, hooks), as PyTorch before 0.4 wrote it.
  static bool is_parameter_state(const PickleValue& state) {
    const auto* flags = state.as<PickleTuple>();
    return flags && flags->items.size() == 3 && flags->items[0]->as<bool>() && flags->items[1]->as<bool>();
  }

  [[noreturn]] static void refuse_object(const std::string& type) {
    refuse(
        "an object of class '{}' is not allowed: it is no torch.nn.Module (a dictionary with _parameters, "
        "_buffers and _modules)",
        printable(type));
  }

  // At the end: every name beside the known ones has been the class of a module, and every module is
  // complete.
  void check_classes() {
    for (const auto& [name, use] : classes_) {
      if (use.is_used) continue;
      last_opcode_ = use.byte;
      check_global(name);
    }
    if (unbuilt_modules_ == 0) return;
    for (const PickleValue& value : pickle_.values) {
      const auto* module = value.as<PickleModule>();
      if (module && !module->attributes) refuse_object(module->type);
    }
  }

  bool push_long(std::span<const std::uint8_t> digits) {
    if (digits.size() > 8) return push(PickleBigInteger{text(digits)});
    const bool negative = !digits.empty() && digits.back() >> 7;
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | digits[i];
    return push(static_cast<std::int64_t>(value));
  }

  bool append(const std::vector<const PickleValue*>& items) {
    auto* list = std::get_if<PickleList>(&top()->content);
    if (!list) refuse("APPEND to something else than a list");
    list->items.insert(list->items.end(), items.begin(), items.end());
    return true;
  }

  bool set_items(const std::vector<const PickleValue*>& items) {
    auto* dictionary = std::get_if<PickleDict>(&top()->content);
    if (!dictionary) refuse("SETITEM on something else than a dictionary");
    if (items.size() % 2 != 0) refuse("SETITEMS takes pairs");
    for (std::size_t i = 0; i < items.size(); i += 2) dictionary->items.emplace_back(items[i], items[i + 1]);
    return true;
  }

  bool recall(std::uint32_t index) {
    const auto value = memo_.find(index);
    if (value == memo_.end()) refuse("memo {} was never put", index);
    if (++recalls_ > kMaxRecalls) refuse("more than {} values taken from the memo", kMaxRecalls);
    stack_.push_back(value->second);
    return true;
  }

  bool remember(std::uint32_t index) {
    memo_[index] = top();
    if (memo_.size() > kMaxValues) refuse("more than {} values in the memo", kMaxValues);
    return true;
  }

  template <class T>
  bool push(T&& content) {
    spend(1);
    pickle_.values.push_back({std::forward<T>(content)});
    stack_.push_back(&pickle_.values.back());
    return true;
  }

  // Everything that a few bytes of pickle can make more of is counted.
  void spend(std::size_t values) {
    spent_ += values;
    if (spent_ > kMaxValues) refuse("more than {} values", kMaxValues);
  }

  bool set_mark() {
    if (marks_.size() == kMaxMarks) refuse("more than {} nested marks", kMaxMarks);
    marks_.push_back(stack_.size());
    return true;
  }

  // Values below the last mark belong to what the mark opened.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleValue* top() {
    if (stack_.size() <= floor()) refuse("takes a value from an empty stack");
    return stack_.back();
  }

  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }

  std::vector<const PickleValue*> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count)
      refuse("takes {} values from a stack of {}", count, stack_.size() - floor());
    std::vector<const PickleValue*> values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }

  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) refuse("no mark on the stack");
    auto values = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }

  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > bytes_.size() - at_)
      refuse("truncated: {} bytes wanted, {} left", count, bytes_.size() - at_);
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }

  std::uint8_t read_byte() { return take(1)[0]; }

  Opcode read_opcode() {
    last_opcode_ = at_;
    return static_cast<Opcode>(read_byte());
  }

  std::string read_line() {
    std::string line;
    for (std::uint8_t byte = read_byte(); byte != '\n'; byte = read_byte()) {
      line += static_cast<char>(byte);
      if (line.size() > 512) refuse("a global's name of more than 512 bytes: '{}'", printable(line));
    }
    return line;
  }

  static std::string text(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

  std::span<const std::uint8_t> bytes_;
  // A name that is none of the known ones.
  struct ClassName {
    std::size_t byte = 0;  // where it was first mentioned
    bool is_used = false;  // as the class of an object
  };

  std::size_t at_ = 0, last_opcode_ = 0, spent_ = 0, recalls_ = 0, unbuilt_modules_ = 0;
  std::map<std::string, ClassName> classes_;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleValue*> memo_;
};

}  // namespace

const PickleValue* find_item(const PickleDict& dictionary, std::string_view key) {
  for (auto item = dictionary.items.rbegin(); item != dictionary.items.rend(); ++item) {
    const auto* name = item->first->as<std::string>();
    if (name && *name == key) return item->second;
  }
  return nullptr;
}

Pickle unpickle(std::span<const std::uint8_t> bytes) {
  return Unpickler(bytes).run();
}

}  // namespace upbench
