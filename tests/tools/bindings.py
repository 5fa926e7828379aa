"""bindings.py ROOT: the headers, Python's table and the Lua module name the same functions; the comment of
ic_progress_value and both bindings name the same numbers of an event."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
headers = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
                  for path in sorted((root / "include/imgcls").glob("*.h")))
declared = set(re.findall(r"IC_API[^;]*?\b(ic_\w+)\(", headers))

source = (root / "bindings/python/imgcls/_library.py").read_text()
python = set(re.findall(r'^    "(ic_\w+)":', source, flags=re.M))
python_left_out = set(re.findall(r'"(ic_\w+)"', source.split("LEFT_OUT = ")[1].split("}")[0]))
lua_source = "".join(path.read_text() for path in sorted((root / "bindings/lua").glob("*.c")))
lua = set(re.findall(r"\b(ic_\w+)[(,)]", lua_source))  # called, or given to a helper

# Lua has its own memory; reads a result through batch calls and rankings, a comparison as a table; leaves the pictures
# of a data set to what takes data sets.
lua_left_out = {"ic_context_create_with_allocator", "ic_status_name", "ic_image_pixels",
                "ic_image_resize", "ic_image_encode_png", "ic_dataset_image",
                "ic_model_read_image", "ic_prediction_count", "ic_prediction_probabilities",
                "ic_comparison_json"}


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


def quoted(text):
    return set(re.findall(r'"(\w+)"', text))


context = (root / "include/imgcls/context.h").read_text()
events = quoted(context[:context.index("ic_progress_value(")].rsplit("/*", 1)[1])
core = (root / "bindings/python/imgcls/_core.py").read_text()
python_events = quoted(between(core, "_event_names = (", ")"))
lua_events = quoted(between(between(lua_source, "void push_event(", "\n}"), "names[] = {", "}"))

failed = 0
for what, names in (("declared, but not in Python's table", declared - python - python_left_out),
                    ("in Python's table, but not declared", python - declared),
                    ("declared, but not used by Lua", declared - lua - lua_left_out),
                    ("left out by Lua, but used", lua & lua_left_out),
                    ("of events, but only in the header or in Python", events ^ python_events),
                    ("of events, but only in the header or in Lua", events ^ lua_events)):
    print("not ok" if names else "ok", what, *sorted(names))
    failed |= bool(names)
sys.exit(failed)
