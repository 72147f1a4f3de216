#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "models/networks/fused.h"
#include "models/networks/network.h"

namespace upbench {

// What a network's function asks for when it is run to be described instead of computed.
struct Declaration {
  Layout layout;
  double macs = 0;     // multiply-accumulates of convolutions, linear layers and counted products
  double numbers = 0;  // that these gave
};

struct ConvOptions {
  int kernel = 3;
  int stride = 1;
  int padding = -1;  // pixels of zeros on each side; -1: kernel / 2, which keeps the size
  int dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  // What the result becomes, in this order: plus, times, then. They cost less here than afterwards.
  at::Tensor plus = {}, times = {};  // of the result's shape
  Activation then = {};
};

// What a network makes of its weights alone, kept from one call to the next. Any thread may ask, on any
// stream: what is made is there when it is returned.
class Constants {
 public:
  at::Tensor of(const std::string& name, const std::function<at::Tensor()>& make);

 private:
  std::mutex mutex_;
  std::map<std::string, at::Tensor> made_;
};

// The layers that networks are made of, by the names of their tensors. A network is written once, as a
// function over Layers: run over weights it computes; run over a Declaration it states which tensors it
// consists of, with which shapes, and how much work it is. Tensors are NCHW; `name` + ".weight" and ".bias"
// are the tensors of a layer, as in PyTorch's modules.
class Layers {
 public:
  explicit Layers(const NamedTensors& weights, Constants* constants = nullptr)
      : weights_(&weights), constants_(constants) {}
  explicit Layers(Declaration& declaration) : declaration_(&declaration) {}

  at::Tensor parameter(const std::string& name, const std::vector<std::int64_t>& shape);
  at::Tensor conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                  const ConvOptions& options = {});
  // A 3x3 convolution of x enlarged to twice its height and width by nearest neighbour; counted as that.
  at::Tensor enlarged_conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                           const Activation& then = {});
  // One filter a channel.
  at::Tensor depthwise(const std::string& name, const at::Tensor& x, ConvOptions options = {});
  // A convolution to 3 * scale^2 channels, shuffled: [N, C, H, W] -> [N, 3, H * scale, W * scale].
  at::Tensor shuffled_conv(const std::string& name, const at::Tensor& x, int scale);
  // x [..., C] -> [..., outputs], plus a tensor of that shape where one is given.
  at::Tensor linear(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                    const Activation& then = {}, const at::Tensor& plus = {});
  // Over the last dimension.
  at::Tensor layer_norm(const std::string& name, const at::Tensor& x, double epsilon = 1e-5);
  // One slope a channel, or one for all. May overwrite x.
  at::Tensor prelu(const std::string& name, const at::Tensor& x, std::int64_t slopes);
  // Element by element, y of x's shape or one that expands to it. May overwrite x.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& y);
  at::Tensor product(const at::Tensor& x, const at::Tensor& y);
  at::Tensor activated(const at::Tensor& x, const Activation& activation);
  // The product of matrices, counted as work.
  at::Tensor matmul(const at::Tensor& a, const at::Tensor& b);
  // Of any other computation: what it gives and how many multiply-accumulates it is counted as.
  at::Tensor counted(const std::vector<std::int64_t>& shape, double macs,
                     const std::function<at::Tensor()>& compute);
  // What `make` gives, which must depend on weights alone; `name` tells it from others of the network. Its
  // work is counted as that of one picture.
  at::Tensor constant(const std::string& name, const std::function<at::Tensor()>& make);
  // A 1x1 convolution without bias of x normed over channels by the statistics that training kept: as one
  // convolution.
  at::Tensor batch_normed_conv(const std::string& norm, const std::string& conv, const at::Tensor& x,
                               std::int64_t outputs, const at::Tensor& plus = {});
  // What files hold besides, and no pixel depends on.
  void ignored(const std::string& name, const std::vector<std::int64_t>& shape);
  // What files hold although it follows from the architecture alone: `value`, which theirs must equal.
  void computed(const std::string& name, const at::Tensor& value);

 private:
  bool declares() const { return declaration_ != nullptr; }
  at::Tensor declared(const std::vector<std::int64_t>& shape, double macs);

  const NamedTensors* weights_ = nullptr;
  Constants* constants_ = nullptr;
  Declaration* declaration_ = nullptr;
};

// x: [N, 3, H, W] -> [N, 3, H * scale, W * scale].
using NetworkDefinition = std::function<at::Tensor(Layers&, const at::Tensor& x)>;

// Fills the layout, the work per input pixel (on 64 x 64 input, rounded up to match.size_multiple) and the
// binding of `match` from one function. The caller has set size_multiple and bounded what the function
// derives from the file's shapes: declaring allocates activations of these widths, up to 2^29 numbers from
// all layers together (thirty times what the largest common networks need); above that match.problem says so.
void define(NetworkMatch& match, NetworkDefinition network);

// x: [N, 3, H, W] -> [N, 3, H * scale, W * scale].
using ScaledDefinition = std::function<at::Tensor(Layers&, const at::Tensor& x, int scale)>;

// The same for a network whose caller chooses the scale: its tensors are those that any of `scales` takes,
// its work is counted at each of them.
void define(NetworkMatch& match, const std::vector<int>& scales, ScaledDefinition network);

// x and what it gives: in [0, 1]; greatest: of the values that the layers compute on.
using RangedDefinition = std::function<at::Tensor(Layers&, const at::Tensor& x, double greatest)>;

// The same for a network whose files do not tell on which values its layers compute; input_range: on which
// its authors' do, "0..255" or "0..1".
void define(NetworkMatch& match, const std::string& input_range, RangedDefinition network);

// Has a network whose file does not tell its range compute on this one, "0..255" or "0..1"; another network
// stays as it is. Throws std::invalid_argument for another name.
void set_input_range(NetworkMatch& match, const std::string& input_range);

// The tensors of a network that takes 16 x 16. Throws std::length_error where define() finds the same
// problem.
Layout layout_of(const NetworkDefinition& network);

// The factor r for which channels = colours * r^2; 0 where there is none.
int shuffle_factor(std::int64_t channels, std::int64_t colours = 3);

}  // namespace upbench
