"""The MLflow UI as a person sees it: what `make ui` serves, in a headless Chromium."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from chromium import chromium, needs_chromium
from PIL import Image
from runs import PARAMS
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from unpaired.tracking.evaluation import log_card, log_evaluation
from unpaired.tracking.training import TrainingRun

MAKEFILE = Path(__file__).parents[2] / "Makefile"
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    needs_chromium,
]
WINDOW = "--window-size=1400,2400"  # tall: the UI draws what is in view
VERDICT = "Half of the way to real pictures."


def trained(folder, name, lambda_cycle):
    """A run of the project's own making: curves, grids, checkpoints, evaluation and card."""
    params = PARAMS | {"train": PARAMS["train"] | {"lambda_cycle": lambda_cycle}}
    weights, report, card = (folder / one for one in ("g.safetensors", "report.html", "README.md"))
    weights.write_bytes(b"weights")
    report.write_text("<h1>What came of it</h1>")
    card.write_text("---\nlicense: mit\n---\n\n# Apples and pears\n")
    grid = folder / "apple_to_pear.png"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_EXP_NAME", name)
        tags = {"dvc.data/sets/train": "ab.dir", "dvc.experiment": name}
        with TrainingRun(params, tags, None, folder / name) as run:
            for step in (10, 20, 30):
                row = {"step": step, "epoch": step / 15, "learning_rate": 2e-4}
                run.metrics([row | {"loss_G_cycle": 1 / step}])
                Image.new("RGB", (60, 30), (step, 90, 90)).save(grid)
                run.sample(step, grid)
                run.checkpoint(step, step / 30, weights)
    log_evaluation(run.ids, {"fid_ab": 9.0}, {"evaluate": {"seed": 0}}, [report, grid], [VERDICT])
    log_card(run.ids, card)
    return run.run_id


@pytest.fixture(scope="module")
def runs(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return {name: trained(folder, name, value) for name, value in (("warm", 10), ("cool", 2.5))}


@pytest.fixture(scope="module")
def server(root, runs):
    """The address that `make ui` prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["make", "-f", MAKEFILE, "-o", "setup", "ui", f"PORT={port}"]
    with (root / "ui.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | {"PATH": path},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, root / "ui.log")
        yield re.search(r"http://\S+", (root / "ui.log").read_text())[0]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(address, process, log):
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            return urlopen(address, timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


class Page:
    def __init__(self, driver, address):
        self.driver, self.address = driver, address

    def open(self, place=None):
        """A place within the experiment, or the address that `make ui` prints."""
        self.driver.get("about:blank")
        self.driver.get(self.address.partition("#")[0] + place if place else self.address)

    def wait(self, found):
        return WebDriverWait(self.driver, 40).until(lambda _: found())

    def says(self, *texts):
        def missing():
            body = self.driver.execute_script("return document.body.innerText")
            return [text for text in texts if text not in body]

        try:
            self.wait(lambda: not missing())
        except TimeoutException:
            assert not missing(), self.driver.execute_script("return document.body.innerText")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def card(self, title):
        """The chart of that title."""
        named = f"//*[@data-testid='experiment-view-compare-runs-card'][.//h4[.='{title}']]"
        return self.wait(lambda: self.driver.find_elements(By.XPATH, named))[0]

    def picture(self, part):
        """Waits until a picture whose address has that part is drawn."""
        width = "return arguments[0].naturalWidth"
        self.wait(
            lambda: any(
                self.driver.execute_script(width, image) > 0
                for image in self.all(f"img[src*='{part}']")
            )
        )


@pytest.fixture(scope="module")
def page(server):
    driver = chromium(WINDOW)
    yield Page(driver, server)
    driver.quit()


def test_the_address_leads_to_the_runs(page):
    page.open()
    page.says("Runs", "Models", "warm", "cool", "data/sets/train (ab.dir)")


def test_a_run_tells_its_result_its_origin_and_its_parameters(page, runs):
    page.open(f"#/experiments/1/runs/{runs['warm']}")
    page.says("apple ↔ pear: cyclegan, 32 px, 2 epochs", VERDICT, "dvc exp apply warm")
    page.says("Finished", "evaluation of warm", "train.lambda_cycle", "test/fid_ab", "step_000030")
    page.picture("apple_to_pear.png")


def test_its_curves_and_sample_grids_are_drawn(page, runs):
    page.open(f"#/experiments/1/runs/{runs['warm']}/model-metrics")
    page.says("generators", "samples", "schedule", "test")
    curve = page.card("cycle_loss")
    page.wait(lambda: curve.find_elements(By.CSS_SELECTOR, "svg path.js-line"))
    slider = page.card("samples/grid").find_element(By.CSS_SELECTOR, "[role=slider]")
    for step in (10, 20, 30):
        slider.send_keys(Keys.ARROW_RIGHT)
        page.picture(f"step%2B{step}%2B")


def test_its_checkpoints_are_models(page, runs):
    page.open("#/experiments/1/models")
    page.says("step_000010", "step_000020", "step_000030", "warm", "cool")


def test_its_report_and_card_can_be_read(page, runs):
    page.open(f"#/experiments/1/runs/{runs['warm']}/artifacts/report.html")
    frame = page.wait(lambda: page.all("iframe"))[0]
    page.driver.switch_to.frame(frame)
    page.says("What came of it")
    page.open(f"#/experiments/1/runs/{runs['warm']}/artifacts/README.md")
    page.says("Apples and pears")
    assert "license" not in page.driver.page_source


def test_two_runs_stand_side_by_side(page, runs):
    ids = '","'.join(runs.values())
    page.open(f'#/compare-runs?runs=["{ids}"]&experiments=["1"]')
    page.says("Comparing 2 Runs", "warm", "cool")
    row = "//tr[contains(., 'train.lambda_cycle')]"
    (row,) = page.wait(lambda: page.driver.find_elements(By.XPATH, row))
    assert row.text.split()[-2:] == ["10", "2.5"]
