#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/networks/network.h"

namespace upbench {

// What a network's function asks for when it is run to be described instead of computed.
struct Declaration {
  Layout layout;
  double macs = 0;  // multiply-accumulates of convolutions, linear layers and counted products
};

struct ConvOptions {
  int kernel = 3;
  int stride = 1;
  int padding = -1;  // pixels of zeros on each side; -1: kernel / 2, which keeps the size
  int dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

// The layers that networks are made of, by the names of their tensors. A network is written once, as a function
// over Layers: run over weights it computes; run over a Declaration it states which tensors it consists of,
// with which shapes, and how much work it is. Tensors are NCHW; `name` + ".weight" and ".bias" are the tensors
// of a layer, as in PyTorch's modules.
class Layers {
 public:
  explicit Layers(const NamedTensors& weights) : weights_(&weights) {}
  explicit Layers(Declaration& declaration) : declaration_(&declaration) {}

  at::Tensor parameter(const std::string& name, const std::vector<std::int64_t>& shape);
  at::Tensor conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                  const ConvOptions& options = {});
  // One filter a channel.
  at::Tensor depthwise(const std::string& name, const at::Tensor& x, ConvOptions options = {});
  // x [..., C] -> [..., outputs].
  at::Tensor linear(const std::string& name, const at::Tensor& x, std::int64_t outputs, bool bias = true);
  // Over the last dimension.
  at::Tensor layer_norm(const std::string& name, const at::Tensor& x, double epsilon = 1e-5);
  // One slope a channel, or one for all.
  at::Tensor prelu(const std::string& name, const at::Tensor& x, std::int64_t slopes);
  // The product of matrices, counted as work.
  at::Tensor matmul(const at::Tensor& a, const at::Tensor& b);

 private:
  bool declares() const { return declaration_ != nullptr; }

  const NamedTensors* weights_ = nullptr;
  Declaration* declaration_ = nullptr;
};

// x: [N, 3, H, W] -> [N, 3, H * scale, W * scale].
using NetworkDefinition = std::function<at::Tensor(Layers&, const at::Tensor& x)>;

// Fills the layout, the work per input pixel (on 64 x 64 input, rounded up to match.size_multiple) and the
// binding of `match` from one function. The caller has set size_multiple and bounded what the function
// derives from the file's shapes: declaring allocates activations of these widths.
void define(NetworkMatch& match, NetworkDefinition network);

// The factor r for which channels = colours * r^2; 0 where there is none.
int shuffle_factor(std::int64_t channels, std::int64_t colours = 3);

}  // namespace upbench
