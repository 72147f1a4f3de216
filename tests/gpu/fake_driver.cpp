// A libcuda.so.1 that says what FAKE_DRIVER asks for, "VERSION INIT_RESULT GPUS", to test how the program
// takes it.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fake {
  int version = 0, init = 0, gpus = 0;
  Fake() {
    const char* text = std::getenv("FAKE_DRIVER");
    if (text) std::sscanf(text, "%d %d %d", &version, &init, &gpus);
  }
};

}  // namespace

extern "C" {
int cuInit(unsigned) {
  return Fake().init;
}
int cuDriverGetVersion(int* version) {
  *version = Fake().version;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = Fake().gpus;
  return 0;
}
int cuDeviceGet(int* device, int index) {
  *device = index;
  return 0;
}
int cuDeviceGetName(char* name, int length, int) {
  std::strncpy(name, "Fake GPU", static_cast<std::size_t>(length));
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = std::size_t{80} << 30;
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? 9 : 0;
  return 0;
}
}
