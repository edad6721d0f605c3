"""One QuickJS guest: a fresh WebAssembly instance started from a snapshot, and the few calls into it.

The module is QuickJS built for WebAssembly by the quickjs-rs package; we take its bytes and drive it ourselves, because
its own Python side neither interrupts native loops nor limits the memory. The guest gets no WASI: the eight functions
it imports are answered here and touch nothing outside.

Calls use wasmtime's unchecked C entry (3 µs) instead of Func.__call__ (25 µs): a call of a function makes about forty.
"""

from __future__ import annotations

import ctypes
import os
import random
import struct
import time
from collections.abc import Callable
from ctypes import byref
from importlib.resources import files
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

PAGE = 65536
OK, JS_ERROR = 0, 1
HOST_FAILED = -1
WASI_BADF = 8  # errno of every file operation
ENGINE_MEMORY = 4 << 20  # what the engine itself and the prelude may take beside the author's allowance, bytes
NULL_FINALIZER = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))


class GuestFault(Exception):
    """The instance cannot go on. reason: "time", "memory", "stack" or "fault"."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class GuestError(Exception):
    """JavaScript threw where our own code called it: what it threw, as text."""

    def __init__(self, name: str, message: str, stack: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message, self.stack = name, message, stack


class Aborted(Exception):
    """The parent ended the call in the middle of a host call."""


class Hooks:
    """What one call gives the guest: its source, its host function, clock and randomness."""

    def __init__(
        self,
        *,
        source: tuple[str, str],
        host: Callable[[str, str], str] | None = None,
        now_ms: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.source = source  # (file name, text): the one module there is
        self.host = host
        self.now_ms = now_ms
        self.random = random.Random(seed) if seed is not None else None  # noqa: S311  repeatable on purpose

    def random_bytes(self, size: int) -> bytes:
        return self.random.randbytes(size) if self.random else os.urandom(size)

    def now_ns(self) -> int:
        return time.time_ns() if self.now_ms is None else self.now_ms * 1_000_000


class Engine:
    """The compiled module with its imports, made once in the zygote and shared by copy-on-write."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        config.parallel_compilation = False  # no threads: the zygote forks
        config.max_wasm_stack = 1920 << 10  # the engine cannot see its own stack here: too deep a call ends the guest
        config.memory_init_cow = False  # its memfd would be a file descriptor in every worker
        for feature in ("wasm_threads", "shared_memory", "wasm_memory64", "wasm_multi_memory", "wasm_component_model"):
            setattr(config, feature, False)
        self.engine = wasmtime.Engine(config)
        self.module = wasmtime.Module(self.engine, (files("quickjs_rs") / "_guest.wasm").read_bytes())
        self.current: Guest | None = None
        linker = wasmtime.Linker(self.engine)
        for module, name, params, results, function in self._imports():
            linker.define_func(module, name, wasmtime.FuncType(params, results), function)
        self.ready = linker.instantiate_pre(self.module)
        self.image: Image | None = None

    def _imports(self) -> list[tuple[str, str, list[Any], list[Any], Callable[..., Any]]]:
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        wasi = "wasi_snapshot_preview1"
        return [
            ("env", "host_interrupt", [], [i32], lambda: 0),  # the epoch interrupts, not this poll
            ("env", "host_call", [i32] * 5, [i32], lambda *a: self.guest.on_host_call(*a)),
            ("env", "host_module_normalize", [i32] * 5, [i32], lambda *a: self.guest.on_normalize(*a)),
            ("env", "host_module_load", [i32] * 3, [i32], lambda *a: self.guest.on_load(*a)),
            (wasi, "random_get", [i32, i32], [i32], lambda *a: self.guest.on_random(*a)),
            (wasi, "clock_time_get", [i32, i64, i32], [i32], lambda *a: self.guest.on_clock(*a)),
            (wasi, "environ_get", [i32, i32], [i32], lambda *a: 0),
            (wasi, "environ_sizes_get", [i32, i32], [i32], lambda *a: self.guest.on_environ(*a)),
            (wasi, "fd_close", [i32], [i32], lambda *a: WASI_BADF),
            (wasi, "fd_fdstat_get", [i32, i32], [i32], lambda *a: WASI_BADF),
            (wasi, "fd_seek", [i32, i64, i32, i32], [i32], lambda *a: WASI_BADF),
            (wasi, "fd_write", [i32] * 4, [i32], lambda *a: WASI_BADF),
            (wasi, "proc_exit", [i32], [], self._exit),
        ]

    @property
    def guest(self) -> Guest:
        assert self.current is not None
        return self.current

    @staticmethod
    def _exit(_code: int) -> None:
        raise GuestFault("fault", "The engine stopped itself.")


class Image:
    """The memory of a guest that has run the prelude: what every call starts from."""

    def __init__(self, guest: Guest, handles: tuple[int, ...]) -> None:
        memory = guest.read(0, guest.memory_size())
        self.pages = len(memory) // PAGE
        self.parts = _nonzero_parts(memory)
        self.stack_pointer = guest.stack_pointer()
        self.handles = handles


def _nonzero_parts(memory: bytes, step: int = 4096) -> list[tuple[int, bytes]]:
    """Runs of pages that hold something: (offset, bytes). Fresh memory is zero already, so the rest need no copy."""
    parts: list[tuple[int, bytes]] = []
    start = None
    for offset in range(0, len(memory) + step, step):
        empty = offset >= len(memory) or not any(memory[offset : offset + step])
        if start is None and not empty:
            start = offset
        elif start is not None and empty:
            parts.append((start, memory[start:offset]))
            start = None
    return parts


class Guest:
    """One instance; used for one call, then closed."""

    def __init__(self, engine: Engine, *, memory_bytes: int, hooks: Hooks) -> None:
        self.engine, self.hooks, self.memory_limit = engine, hooks, memory_bytes + ENGINE_MEMORY
        self.store = wasmtime.Store(engine.engine)
        self.store.set_limits(memory_size=self.memory_limit, table_elements=20_000, instances=1, tables=4, memories=1)
        self.store.set_epoch_deadline(1)
        self._context = self.store._context()
        self._functions: dict[str, Any] = {}
        engine.current = self
        self._instance = engine.ready.instantiate(self.store)._instance
        self._memory = self._export("memory").memory
        if engine.image:
            self._restore(engine.image)

    def close(self) -> None:
        self.engine.current = None
        self.store.close()

    # -- the instance --------------------------------------------------------------------------------------------

    def _export(self, name: str) -> Any:
        item, raw = ffi.wasmtime_extern_t(), name.encode()
        found = ffi.wasmtime_instance_export_get(self._context, byref(self._instance), raw, len(raw), byref(item))
        if not found:
            raise GuestFault("fault", f"The engine lacks {name}.")
        return item.of

    def call(self, name: str, *args: int) -> int:
        """Call one exported function with 32-bit integers; its result, or 0 when it has none. Raises GuestFault."""
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._export(name).func
        size = len(args) or 1
        values = (ffi.wasmtime_val_raw_t * size)()
        for index, value in enumerate(args):
            values[index].i32 = value
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_func_call_unchecked(self._context, byref(function), values, size, byref(trap))
        if error or trap:
            self._raise(error, trap)
        return int(values[0].i32)

    def _raise(self, error: Any, trap: Any) -> None:
        from wasmtime import _func

        if trap:
            code = wasmtime.Trap._from_ptr(trap).trap_code
        else:
            wasmtime.WasmtimeError._from_ptr(error)  # owns and frees it
            code = None
        _func.maybe_raise_last_exn()  # what one of our own imports raised
        if code is wasmtime.TrapCode.INTERRUPT:
            raise GuestFault("time")
        if code is wasmtime.TrapCode.STACK_OVERFLOW:
            raise GuestFault("stack")
        raise GuestFault("memory" if self.nearly_full() else "fault", str(code))

    # -- its memory ----------------------------------------------------------------------------------------------

    def memory_size(self) -> int:
        return int(ffi.wasmtime_memory_data_size(self._context, byref(self._memory)))

    def nearly_full(self) -> bool:
        return self.memory_size() > self.memory_limit // 4 * 3

    def _address(self, pointer: int, size: int) -> int:
        pointer &= 0xFFFFFFFF
        if size < 0 or pointer + size > self.memory_size():
            raise GuestFault("fault", "The engine named memory it does not have.")
        base = ffi.wasmtime_memory_data(self._context, byref(self._memory))
        return ctypes.addressof(base.contents) + pointer

    def read(self, pointer: int, size: int) -> bytes:
        return ctypes.string_at(self._address(pointer, size), size) if size else b""

    def write(self, pointer: int, data: bytes) -> None:
        ctypes.memmove(self._address(pointer, len(data)), data, len(data))

    def word(self, pointer: int) -> int:
        return int(struct.unpack("<i", self.read(pointer, 4))[0])

    def put(self, data: bytes) -> int:
        """Copy bytes into the guest; returns where. The guest's allocator owns them."""
        pointer = self.call("qjs_alloc", len(data))
        if not pointer and data:
            raise GuestFault("memory")
        if data:
            self.write(pointer, data)
        return pointer

    def stack_pointer(self) -> int:
        value = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(self._context, byref(self._export("__stack_pointer").global_), byref(value))
        return int(value.of.i32)

    def _restore(self, image: Image) -> None:
        missing = image.pages - self.memory_size() // PAGE
        if missing > 0:
            before = ctypes.c_uint64()
            error = ffi.wasmtime_memory_grow(self._context, byref(self._memory), missing, byref(before))
            if error:
                wasmtime.WasmtimeError._from_ptr(error)
                raise GuestFault("memory")
        for offset, data in image.parts:
            self.write(offset, data)
        value = ffi.wasmtime_val_t()
        value.kind = ffi.WASMTIME_I32
        value.of.i32 = image.stack_pointer
        ffi.wasmtime_global_set(self._context, byref(self._export("__stack_pointer").global_), byref(value))

    # -- values --------------------------------------------------------------------------------------------------

    def string(self, text: bytes) -> int:
        pointer = self.put(text)
        handle = self.call("new_string", pointer, len(text))
        self.call("qjs_free", pointer, len(text))
        return handle

    def text(self, handle: int, limit: int) -> bytes:
        """A string's UTF-8. Raises GuestFault("memory") past `limit` bytes, before copying any."""
        if self.call("get_string", handle) != OK:
            raise GuestFault("fault", "The engine gave no text.")
        size = self.call("qjs_last_len")
        if not 0 <= size <= limit:
            raise TooLong(size)
        data = self.read(self.call("qjs_last_ptr"), size)
        self.call("qjs_result_free")
        return data

    def _out(self, name: str, *args: int) -> int:
        """Call an export whose last argument is where to put a handle. Raises GuestError when JavaScript threw."""
        slot = self.call("qjs_alloc", 4)
        status = self.call(name, *args, slot)
        handle = self.word(slot)
        self.call("qjs_free", slot, 4)
        if status == JS_ERROR:
            raise self._thrown()
        if status != OK:
            raise GuestFault("memory" if name == "new_from_json" else "fault", f"{name} answered {status}")
        return handle

    def run(self, source: str) -> int:
        data = source.encode()
        return self._out("eval_code", self.put(data), len(data))

    def json(self, data: bytes) -> int:
        return self._out("new_from_json", self.put(data), len(data))

    def property(self, handle: int, key: str) -> int:
        data = key.encode()
        return self._out("get_prop", handle, self.put(data), len(data))

    def item(self, handle: int, index: int) -> int:
        return self._out("get_index", handle, index)

    def invoke(self, function: int, *args: int) -> int:
        argv = self.put(struct.pack(f"<{len(args)}i", *args)) if args else 0
        return self._out("call_function", function, self.call("new_undefined"), argv, len(args))

    def host_function(self, name: str) -> int:
        data = name.encode()
        return self.call("new_function", self.put(data), len(data))

    def drain(self) -> bool:
        """Run what promises left to do, a batch of it; whether there was any."""
        return self.call("execute_pending_jobs") > 0

    def _thrown(self) -> GuestError:
        slot = self.call("qjs_alloc", 4)
        self.call("last_exception", slot)
        value = self.word(slot)
        parts = []
        for key in ("name", "message", "stack"):
            try:
                parts.append(self.text(self.property(value, key), 100_000).decode("utf-8", "replace")[:2000])
            except (GuestError, TooLong):
                parts.append("")
            except GuestFault as fault:
                if fault.reason != "fault":
                    raise
                parts.append("")
        return GuestError(*parts)

    # -- what the guest asks of us ---------------------------------------------------------------------------------

    def on_host_call(self, _name: int, _name_size: int, _this: int, count: int, argv: int) -> int:
        if self.hooks.host is None or count != 2:
            return HOST_FAILED
        name, args = (self.text(handle, 1 << 20) for handle in struct.unpack("<2i", self.read(argv, 8)))
        answer = self.hooks.host(name.decode("utf-8", "replace"), args.decode("utf-8", "replace"))
        return self.string(answer.encode("utf-8", "replace"))

    def on_normalize(self, _base: int, _base_size: int, name: int, size: int, out_size: int) -> int:
        data = self.read(name, size)
        pointer = self.put(data)
        self.write(out_size, struct.pack("<I", size))
        return pointer

    def on_load(self, name: int, size: int, out_size: int) -> int:
        filename, source = self.hooks.source
        if self.read(name, size).decode("utf-8", "replace") != filename:
            return 0
        data = source.encode("utf-8", "replace")
        pointer = self.put(data)
        self.write(out_size, struct.pack("<I", len(data)))
        return pointer

    def on_random(self, pointer: int, size: int) -> int:
        self.write(pointer, self.hooks.random_bytes(min(size, 1 << 16)).ljust(size, b"\0"))
        return 0

    def on_clock(self, _id: int, _precision: int, pointer: int) -> int:
        self.write(pointer, struct.pack("<Q", self.hooks.now_ns()))
        return 0

    def on_environ(self, count: int, size: int) -> int:
        self.write(count, b"\0\0\0\0")
        self.write(size, b"\0\0\0\0")
        return 0


class TooLong(Exception):
    """A text of the guest is longer than the caller takes. args: its size in bytes."""
