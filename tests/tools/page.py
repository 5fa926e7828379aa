#!/usr/bin/env python3
"""page.py PAGE.html [FOLDER]: looks at a report page as people will: in headless Chromium, on a phone and on a desk,
light, dark and printed. Writes pictures of it into FOLDER, and fails for errors of the console, requests to elsewhere,
a page wider than its window, and serious findings of axe-core. Not part of the suite: it wants Debian's chromium, and
`pip install playwright axe-playwright-python` (the browser that playwright would download is not needed).
SPDX-License-Identifier: MIT"""
import pathlib
import sys

import axe_playwright_python
from playwright.sync_api import sync_playwright

AXE = next(pathlib.Path(axe_playwright_python.__file__).parent.glob("*axe.min.js"))
SIZES = {"phone": (390, 844), "desk": (1280, 900)}


def findings(page):
    """What axe-core has to say, as lines; those that are serious first."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run()")
    lines = []
    for rule in result["violations"]:
        places = "; ".join(node["html"][:120] for node in rule["nodes"][:3])
        lines.append((rule["impact"] in ("serious", "critical"),
                      f"{rule['impact']}: {rule['id']} ({len(rule['nodes'])} places): {places}"))
    return sorted(lines, reverse=True), len(result["passes"]), len(result["incomplete"])


def walk(page, name):
    """Every mistake's link shows its pictures, and Tab reaches something that is seen."""
    links = page.eval_on_selector_all("a[href^='#']", "all => all.map(a => a.getAttribute('href'))")
    for target in {link for link in links if link.startswith("#c") and link[2].isdigit()}:
        page.evaluate("target => { location.hash = target }", target)
        if not page.eval_on_selector(target, "element => element.offsetHeight > 0"):
            yield f"{name}: {target} stays hidden"
    page.evaluate("location.hash = ''")
    missing = [link for link in set(links) if page.query_selector(f"[id='{link[1:]}']") is None]
    if missing:
        yield f"{name}: links to nowhere: {missing[:5]}"


def look(browser, path, folder, device, scheme):
    width, height = SIZES[device]
    name = f"{path.stem}-{device}-{scheme}"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                  device_scale_factor=1, bypass_csp=True)
    page = context.new_page()
    problems = []
    page.on("console", lambda message: problems.append(f"{name}: console: {message.text}")
            if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(f"{name}: {error}"))
    page.on("request", lambda request: problems.append(f"{name}: asks for {request.url[:80]}")
            if not request.url.startswith(("file:", "data:")) else None)
    page.goto(path.resolve().as_uri())
    inner = page.evaluate("document.documentElement.scrollWidth")
    if inner > width:
        problems.append(f"{name}: {inner} pixels wide in a window of {width}")
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    lines, passed, unsure = findings(page)
    print(f"{name}: axe: {passed} rules pass, {len(lines)} fail, {unsure} undecided")
    for serious, line in lines:
        print(f"    {line}")
        if serious:
            problems.append(f"{name}: {line}")
    problems.extend(walk(page, name))
    if device == "desk" and scheme == "light":
        page.pdf(path=folder / f"{path.stem}.pdf", format="A4")
    context.close()
    return problems


def main():
    path = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        problems = [problem for device in SIZES for scheme in ("light", "dark")
                    for problem in look(browser, path, folder, device, scheme)]
        browser.close()
    for problem in problems:
        print(f"not ok {problem}")
    print(f"{path.stat().st_size} bytes; {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
