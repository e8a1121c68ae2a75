"""A device that every machine has: it holds numbers, tells devices apart and forbids float64.

Its tensors say that they are on "fake". Their memory is the processor's, where every operation on
them runs, once it has been held to the rules of a GPU:

- a tensor of it meets none of the CPU's, but for single numbers (0 dimensions), copies and indices;
- it has no float64 and no complex128, as Apple's GPUs have none, and sends out none to the CPU;
- it draws random numbers from a generator of its own, which `torch.manual_seed` seeds as well.

To torch it is a backend for other hardware ("PrivateUse1") whose every kernel is `kernel`. So
autograd, views, `Module.to`, optimisers, files and `Tensor.numpy`, which refuses, are torch's own.
What it can't tell: which operations a GPU lacks or rounds otherwise, and what happens when.
"""

import contextlib
import functools
import sys
from unittest import mock

import torch
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "fake"
DEVICE, CPU = "fake:0", torch.device("cpu")
FORBIDDEN = (torch.float64, torch.complex128)
CPU_KERNELS = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
aten = torch.ops.aten
generator = torch.Generator()


class Backend:
    """What torch looks for in `torch.fake`, as in `torch.cuda`."""

    device = contextlib.nullcontext  # a `with` that makes one of several the current one

    def is_available(self):
        return True

    is_initialized = is_available

    def current_device(self):
        return 0

    def device_count(self):
        return 1

    def _is_in_bad_fork(self):
        return False

    def manual_seed(self, seed):
        generator.manual_seed(seed)

    manual_seed_all = manual_seed

    def get_rng_state(self, device=NAME):
        return generator.get_state()

    def set_rng_state(self, state, device=NAME):
        generator.set_state(state)

    def get_amp_supported_dtype(self):
        return [torch.float16, torch.bfloat16]


def is_ours(value):
    return isinstance(value, torch.Tensor) and value.device.type == NAME


def refuse(dtype):
    raise TypeError(f"Cannot convert a {NAME} Tensor to {dtype}, which it doesn't have.")


def on_cpu(tensor):
    """A tensor of the CPU with the memory of one of the device."""
    storage = tensor.untyped_storage()
    memory = torch._C._construct_storage_from_data_pointer(
        storage.data_ptr(), CPU, storage.nbytes()
    )
    return torch.empty(0, dtype=tensor.dtype).set_(memory, *place(tensor)[1:])


def on_device(tensor, storages, into=None):
    """A tensor of the device with the memory of one of the CPU: new, or one that there is."""
    if tensor.dtype in FORBIDDEN:
        refuse(tensor.dtype)
    memory = tensor.untyped_storage()
    storage = storages.get(memory.data_ptr())  # of which it is a view
    if storage is None:
        storage = torch._C._construct_storage_from_data_pointer(
            memory.data_ptr(), torch.device(DEVICE), memory.nbytes()
        )
        storage.owner = memory  # and frees it
    into = torch._C._acc.create_empty_tensor([0], tensor.dtype) if into is None else into
    return put(into, storage, *place(tensor)[1:])


def put(tensor, storage, *where):
    """Give a tensor of the device other memory: an offset, size and stride in it, or all of it."""
    where = where or (0, [storage.nbytes() // tensor.element_size()], [1])
    set_ = aten.set_.source_Storage_storage_offset
    return set_.redispatch(CPU_KERNELS, tensor, storage, *where)


def place(tensor):
    start = tensor.untyped_storage().data_ptr()
    return start, tensor.storage_offset(), tensor.size(), tensor.stride()


def copy(source, target):
    if is_ours(source) and target.dtype in FORBIDDEN:
        refuse(target.dtype)  # a GPU of Apple's converts what it sends
    source, into = (on_cpu(t) if is_ours(t) else t for t in (source, target))
    into.copy_(source)
    return target


def refuse_mixtures(op, values):
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    written = op._schema.is_mutable and not is_ours(tensors[0])
    if any("indices" in argument.name for argument in op._schema.arguments) and not written:
        tensors = [t for t in tensors if t.is_floating_point()] or tensors[:1]
    if written or any(t.ndim and not is_ours(t) for t in tensors):
        listed = ", ".join(f"{tuple(t.shape)} on {t.device}" for t in tensors)
        raise RuntimeError(f"Expected all tensors on the same device, but {op} got {listed}.")
    if any(isinstance(v, torch.Generator) and v is not generator for v in values):
        raise RuntimeError(f"Expected a generator of {NAME}, but {op} got another device's.")


@contextlib.contextmanager
def its_random_numbers(op, kwargs):
    if any(argument.name == "generator" for argument in op._schema.arguments):
        kwargs["generator"] = generator  # of another device is none here: that was refused
    elif torch.Tag.nondeterministic_seeded in op.tags:
        theirs, current = torch.get_rng_state(), generator.get_state()
        torch.set_rng_state(current)
        yield
        generator.set_state(torch.get_rng_state())
        torch.set_rng_state(theirs)
        return
    yield


def kernel(op, *args, **kwargs):
    """Every operation that meets the device: the CPU's, on the same memory."""
    values, tree = tree_flatten((args, kwargs))
    name = op.overloadpacket.__name__
    if name in COPIES:
        return copy(*args[:2])
    if name == "set_":
        return put(*args)
    if any(map(is_ours, values)):
        refuse_mixtures(op, values)
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage() for t in values if is_ours(t)}
    lent = {}

    def lend(value):
        if not is_ours(value):
            return CPU if isinstance(value, torch.device) else value
        # What is empty may be about to grow, which borrowed memory can't.
        alias = on_cpu(value) if value.numel() else torch.empty_like(value, device=CPU)
        lent[id(alias)] = alias, value
        return alias

    def give_back(value):
        if not isinstance(value, torch.Tensor):
            return value
        return lent[id(value)][1] if id(value) in lent else on_device(value, storages)

    args, kwargs = tree_unflatten([lend(value) for value in values], tree)
    with its_random_numbers(op, kwargs):
        result = INSTEAD.get(name, op)(*args, **kwargs)
    for alias, ours in lent.values() if op._schema.is_mutable else ():
        if place(alias) != place(ours):
            on_device(alias, storages, into=ours)
    return tree_map(give_back, result)


COPIES = ("_copy_from", "copy_")


def _convolution_backward(grad, x, weight, *settings):
    return aten.convolution_backward(grad, x, weight, [len(weight)], *settings)


# Two names under which torch leaves convolutions to other hardware.
INSTEAD = {
    "convolution_overrideable": aten.convolution,
    "convolution_backward_overrideable": _convolution_backward,
}


_setup_privateuseone_for_python_backend(NAME, Backend())
_fallbacks = torch.library.Library("_", "IMPL")
_fallbacks.fallback(kernel, "PrivateUse1")
_fallbacks.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
_named = torch.library.Library("aten", "IMPL")
for _name in INSTEAD:
    _op = getattr(aten, _name).default
    _named.impl(_name, functools.partial(kernel, _op), "PrivateUse1")


def _restored(storage, location):
    """A file's storage on the device, for which torch would ask an allocator."""
    if location.partition(":")[0] == NAME:
        return torch.empty(0, dtype=torch.uint8).set_(storage).to(NAME).untyped_storage()
    return None


torch.serialization.register_package(0, lambda storage: None, _restored)


def _print_from_cpu(tensor, *, tensor_contents=None, to_string=torch._tensor_str._str_intern):
    # torch prints by way of float64, and knows which hardware can't.
    return to_string(tensor.cpu() if is_ours(tensor) else tensor, tensor_contents=tensor_contents)


@contextlib.contextmanager
def as_best_device():
    """Inside, the library's `best_device` finds this one, wherever it is asked.

    And `Module.to` puts other numbers into the same parameters, as it does for GPUs.
    """
    swapping = torch.__future__.get_swap_module_params_on_conversion()
    with contextlib.ExitStack() as patches:
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "vae_lib" and hasattr(module, "best_device"):
                best = mock.patch.object(module, "best_device", lambda: torch.device(NAME))
                patches.enter_context(best)
        patches.enter_context(mock.patch("torch._tensor_str._str_intern", _print_from_cpu))
        # torch's own swap refuses where a graph of autograd still knows the parameter.
        swap = mock.patch("torch.utils.swap_tensors", torch._C._swap_tensor_impl)
        patches.enter_context(swap)
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            yield
        finally:
            torch.__future__.set_swap_module_params_on_conversion(swapping)
