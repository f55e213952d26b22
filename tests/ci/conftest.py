import pytest
from replay import Replay
from repository import DOMAINS, Person, repository, tracking


@pytest.fixture(scope="session")
def make_replay(tmp_path_factory):
    """make_replay(pictures, count) → a person's clone with that many pictures a domain pushed, and
    the replay of the workflow on them."""

    def made(pictures: int, train: int, test: int, **environment: str) -> tuple[Person, Replay]:
        folder = tmp_path_factory.mktemp("retraining")
        person, origin = repository(folder)
        person.set_counts(train, test)
        for domain in DOMAINS:
            for number in range(pictures):
                person.draw(domain, number, number)
        person.commit("pictures")
        variables = {
            "DVC_REMOTE_URL": str(folder / "remote"),
            "MLFLOW_TRACKING_URI": tracking(folder),
        }
        return person, Replay(folder / "replay", origin, variables, **environment)

    return made
