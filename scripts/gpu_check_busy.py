"""The device under test as NVIDIA's driver and management library know it, and how busy it is.

CUDA's "cuda:0" is what CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER make it; NVML counts all GPUs in the order of the bus. The
address on the bus says which is which.
"""
import ctypes
import threading


def libraries():
    """(driver, NVML); (None, None) where they cannot be loaded."""
    try:
        return ctypes.CDLL("libcuda.so.1"), ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None, None


def bus_address(driver, index):
    """Of CUDA's device `index`, b"0000:17:00.0"; None: the driver does not tell."""
    device, address = ctypes.c_int(), ctypes.create_string_buffer(32)
    if driver is None or driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), index):
        return None
    return None if driver.cuDeviceGetPCIBusId(address, len(address), device) else address.value


def nvml_handle(nvml, address):
    """NVML's handle of the device at that address; None: it has none."""
    handle = ctypes.c_void_p()
    if nvml is None or address is None or nvml.nvmlInit_v2():
        return None
    return None if nvml.nvmlDeviceGetHandleByPciBusId_v2(address, ctypes.byref(handle)) else handle


class Busy:
    """Share of time in which a kernel ran on CUDA's device `index`, as NVML has it, ten times a second while the block lasts."""

    def __init__(self, index, driver, nvml):
        self.nvml, self.handle = nvml, nvml_handle(nvml, bus_address(driver, index))
        self.samples, self.stop = [], threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()

    def watch(self):
        while self.handle is not None and not self.stop.wait(0.1):
            self.sample()

    def sample(self):
        rates = (ctypes.c_uint * 2)()  # of kernels, of memory
        if self.nvml.nvmlDeviceGetUtilizationRates(self.handle, rates) == 0:
            self.samples.append(rates[0])

    def share(self):
        """Between the first and the last sample at work: start-up is not the sweep."""
        at_work = [i for i, sample in enumerate(self.samples) if sample > 0]
        if len(at_work) < 10:
            return None
        inside = self.samples[at_work[0]:at_work[-1] + 1]
        return sum(inside) / len(inside) / 100
