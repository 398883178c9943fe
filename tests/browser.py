"""Chromium without a window, driven through its pipe: no driver, no port, no network."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
REQUIRED = os.environ.get("LINREP_BROWSER") == "required"
"""Whether tests fail without a browser instead of being skipped: so it is in ``.ci/run``."""
PATIENCE = 60.0  # seconds: only a browser that hangs takes so long


class Browser:
    """One page of one browser; everything it logs and asks for is kept."""

    def __init__(self, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def wire() -> None:  # the browser reads from 3 and writes to 4
            low = [os.dup(theirs_in), os.dup(theirs_out)]
            while min(low) < 5:
                low = [os.dup(each) for each in low]
            for given, wanted in zip(low, (3, 4), strict=True):
                os.dup2(given, wanted)

        self.process = subprocess.Popen(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-dev-shm-usage",
                "--enable-unsafe-swiftshader", "--remote-debugging-pipe",
                "--hide-scrollbars", "--disable-extensions", "--no-first-run",
                "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={profile}", "about:blank",
            ],
            preexec_fn=wire, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self.reading, self.writing = ours_in, ours_out
        self.rest = b""
        self.count = 0
        self.here = "about:blank"
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer.

        Raises:
            RuntimeError: the browser refuses it.
        """
        self.count += 1
        message: dict[str, Any] = {"id": self.count, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        number = self.count
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        """What the browser says next.

        Raises:
            TimeoutError: it says nothing.
        """
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reading], [], [], end - time.monotonic())
            if not ready:
                raise TimeoutError("the browser says nothing")
            self.rest += os.read(self.reading, 1 << 20)
        line, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def run(self, script: str) -> Any:
        """The value of a script, awaited.

        Raises:
            RuntimeError: it throws.
        """
        done = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"])[:800])
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until a script gives something true.

        Raises:
            TimeoutError: it never does.
        """
        end = time.monotonic() + PATIENCE
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {condition}")
            time.sleep(0.05)

    def open(self, page: Path, width: int = 1100, *, dark: bool = False, height: int = 900) -> None:
        """Load a page at a width, light or dark."""
        self.send("Page.navigate", url="about:blank")
        self.events.clear()
        self.here = page.as_uri()
        self.resize(width, height)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)
        self.send("Page.navigate", url=page.as_uri())
        self.wait(
            f"document.readyState === 'complete' && location.href === {json.dumps(page.as_uri())}"
        )

    def resize(self, width: int, height: int = 900) -> None:
        """Another width."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    @property
    def faults(self) -> list[str]:
        """What the console holds: errors, exceptions, warnings of the browser."""
        found = []
        for event in self.events:
            name, params = event.get("method"), event.get("params", {})
            if name == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"])[:500])
            elif name == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
                found.append(str([each.get("value") or each.get("description")
                                  for each in params["args"]])[:500])  # fmt: skip
            elif name == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(params["entry"]["text"])
            elif name == "Page.javascriptDialogOpening":
                found.append(f"a dialog: {params['message']}")
        return found

    @property
    def requests(self) -> list[str]:
        """Addresses asked for, the page's own excepted and what it holds itself."""
        asked = [event["params"]["request"]["url"] for event in self.events
                 if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
        own = ("data:", "blob:", self.here)
        return [url for url in asked if not url.startswith(own)]

    def picture(self, file: Path, *, whole: bool = True) -> Path:
        """A screenshot of the page."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        file.write_bytes(base64.b64decode(shot["data"]))
        return file

    def paper(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        self.process.wait(timeout=20)
        os.close(self.reading)
        os.close(self.writing)
