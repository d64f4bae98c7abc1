"""Every adaptor is documented, and a declaration that contradicts itself is refused."""

import re
import sys
from pathlib import Path

import msgspec
import pytest

from oncue import adaptors
from oncue.adaptors.builtin import OWN_EVENTS
from oncue.core.adaptor import Action, Adaptor, EventKind, Inbound
from oncue.core.fields import Field, Kind

ROOT = Path(adaptors.__file__).parent
ALL = {name: ROOT / ("builtin" if one.builtin else name) for name, one in adaptors.load().items()}


def documented(name: str) -> set[str]:
    """Every word in backticks."""
    return {
        word
        for quoted in re.findall(r"`([^`]+)`", (ALL[name] / "README.md").read_text())
        for word in re.split(r"[ ,]+", quoted)
    }


@pytest.mark.parametrize("name", ALL)
def test_a_readme_documents_every_field_event_and_status(name):
    adaptor = adaptors.load()[name]
    words = documented(name)
    missing = {field.name for field in adaptor.config} - words
    for action in adaptor.actions:
        missing |= {f"{name}.{action.name}", *(field.name for field in action.fields)} - words
    missing |= {adaptor.event(one) for one in (*(kind.name for kind in adaptor.events), *adaptor.statuses)} - words
    assert not missing, f"{name}/README.md says nothing of these"


def test_the_readme_of_the_builtin_actions_documents_our_own_events():
    assert {kind.name for kind in OWN_EVENTS} <= documented("user")


@pytest.mark.parametrize("name", ALL)
def test_everything_that_a_person_reads_has_words(name):
    adaptor = adaptors.load()[name]
    assert adaptor.label and adaptor.help.endswith(".")
    for field in (*adaptor.config, *(field for action in adaptor.actions for field in action.fields)):
        assert field.label and field.help.endswith(".") and bool(field.pattern) == bool(field.pattern_says), field.name
    for kind in adaptor.events:
        assert kind.label and kind.sentence.endswith("."), kind.name


@pytest.mark.parametrize("name", ALL)
def test_every_status_raises_an_event_and_some_are_final(name):
    adaptor = adaptors.load()[name]
    assert set(adaptor.statuses) <= {kind.name for kind in adaptor.events}
    assert adaptor.final <= set(adaptor.statuses) and bool(adaptor.final) == bool(adaptor.statuses)
    assert not adaptor.statuses or adaptor.failed in adaptor.final


async def send(*_):
    raise AssertionError("not called")


FIELD = Field(name="to", label="To", help="Whom.")
GOOD = Adaptor(
    name="pigeon",
    label="Pigeon",
    help="Sends pigeons.",
    config=(Field(name="loft", label="Loft", help="Where they live."),),
    actions=(Action(name="send", label="Send", help="Sends one.", fields=(FIELD,), prepare=send, send=send),),
    events=(EventKind("flown", "Flown", "It has left."), EventKind("failed", "Failed", "It has not.")),
    statuses={"flown": 10, "failed": 20},
    final=frozenset({"flown", "failed"}),
)


def action(**more):
    return (msgspec.structs.replace(GOOD.actions[0], **more),)


WRONG = [
    ({"statuses": {"flown": 10, "failed": 20, "lost": 30}}, "The status lost has no event."),
    ({"statuses": {"flown": 10, "failed": 10}}, "Two statuses have the same rank"),
    ({"final": frozenset({"lost"})}, "lost is called final or failed, but is no status."),
    ({"failed": "lost"}, "lost is called final or failed, but is no status."),
    ({"suppressed": "shot"}, "shot has no event."),
    ({"opted_in": "in"}, "in has no event."),
    ({"received": "reply"}, "reply has no event."),
    ({"status_inbound": "door"}, "There is no inbound door."),
    ({"inbound": (Inbound("a", send), Inbound("a", send))}, "An inbound is called a, and so is another."),
    ({"name": "Pigeon post"}, "use lower-case letters, digits and _."),
    ({"config": GOOD.config * 2}, "A configuration field is called loft, and so is another."),
    ({"events": (*GOOD.events, GOOD.events[0])}, "An event is called flown, and so is another."),
    ({"actions": GOOD.actions * 2}, "An action is called send, and so is another."),
    ({"actions": action(send=None)}, "The action send cannot be sent."),
    ({"actions": action(fields=(FIELD, FIELD))}, "A field of send is called to, and so is another."),
    ({"actions": action(fields=(msgspec.structs.replace(FIELD, name="action"),))}, "cannot be called action"),
    ({"actions": action(fields=(msgspec.structs.replace(FIELD, kind=Kind.SECRET),))}, "rules are exported in clear"),
    ({"statuses": {}, "final": frozenset()}, "The action send has no status to come to."),
]  # fmt: skip


def test_a_good_declaration_has_no_fault():
    assert not adaptors.check_declaration(GOOD)


@pytest.mark.parametrize(("change", "says"), WRONG, ids=[says for _, says in WRONG])
def test_a_declaration_that_contradicts_itself_is_told_in_a_sentence(change, says):
    faults = adaptors.check_declaration(msgspec.structs.replace(GOOD, **change))
    assert [fault for fault in faults if says in fault and fault.endswith(".")], faults


CODE = """
from oncue.core.adaptor import Action, Adaptor, EventKind
from oncue.core.outcome import Submitted

async def send(http, config, outgoing):
    return Submitted(outgoing.id, "flown")

adaptor = Adaptor(
    name={name!r}, label="Pigeon", help="Sends pigeons.", config=(),
    actions=(Action(name="send", label="Send", help="Sends one.", fields=(), prepare=None, send=send),),
    events=(EventKind("flown", "Flown", "It has left."), EventKind("failed", "Failed", "It has not.")),
    statuses={statuses!r}, final=frozenset({{"flown", "failed"}}),
)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with an entry point where Python finds packages, as pip does."""

    def put(name="pigeon", statuses=None, value="pigeonpost:adaptor"):
        code = CODE.format(name=name, statuses=statuses or {"flown": 10, "failed": 20})
        (tmp_path / "pigeonpost.py").write_text(code)
        about = tmp_path / "pigeonpost-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeonpost\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[oncue.adaptors]\npigeon = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)

    adaptors.load.cache_clear()
    yield put
    sys.modules.pop("pigeonpost", None)
    adaptors.load.cache_clear()


def test_an_installed_adaptor_is_found_beside_ours(install):
    install()
    assert set(adaptors.load()) == {*ALL, "pigeon"}
    assert adaptors.load()["pigeon"].actions[0].name == "send"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"statuses": {"flown": 10, "failed": 10}}, "The adaptor pigeon: Two statuses have the same rank"),
        ({"statuses": {"flown": 10, "failed": 20, "lost": 30}}, "The adaptor pigeon: The status lost has no event."),
        ({"name": "email"}, "There are two adaptors called email; one is pigeonpost:adaptor."),
        ({"value": "pigeonpost:send"}, "pigeonpost:send must name an oncue.core.adaptor.Adaptor."),
    ],
)
def test_an_installed_adaptor_that_is_wrong_is_refused_with_a_sentence(install, given, says):
    install(**given)
    with pytest.raises(TypeError, match=re.escape(says)):
        adaptors.load()
