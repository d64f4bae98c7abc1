"""A draft, which the builder saves with its faults as long as it is off, goes out by `oncue export` and comes back by `oncue apply`."""

import msgspec

DRAFT = """
rules:
  - key: half
    name: Half a rule
    state: "off"
    category: transactional
    triggers: [booked]
    conditions: ['event.amount >']
    actions: [{action: email.send, to: "{{ user.email", subject: Hello}]
  - {key: whole, state: "off", triggers: [booked], actions: [{action: event.emit, name: counted}]}
"""


def test_a_draft_is_applied_with_a_note_a_fault_and_round_again_nothing_changes(start):
    oncue = start()
    path = oncue.folder / "draft.yaml"
    path.write_text(DRAFT)
    done = oncue.run("apply", str(path))
    assert done.returncode == 0, done.stderr
    assert "created: rule half" in done.stdout
    assert "draft.yaml:8:" in done.stderr and "cannot be switched on before that is mended" in done.stderr

    exported = oncue.folder / "exported.yaml"
    assert oncue.run("export", "-o", str(exported)).returncode == 0
    again = oncue.run("apply", str(exported), "--no-check", "--json")
    assert again.returncode == 0, again.stderr
    answer = msgspec.json.decode(again.stdout)
    assert answer["changes"] == [] and any("half" in one or "exported.yaml:" in one for one in answer["warnings"])

    told = oncue.run("test", str(exported), "--user", "ann", "--event", '{"name": "booked"}')
    assert told.returncode == 0 and "Rule whole would act" in told.stdout and "half" not in told.stdout
    assert oncue.run("backtest", str(exported), "--rule", "half").returncode == 1

    exported.write_text(exported.read_text().replace("state: 'off'", "state: 'on'"))
    refused = oncue.run("apply", str(exported), "--no-check")
    assert refused.returncode == 1 and "nothing was changed" in refused.stderr
