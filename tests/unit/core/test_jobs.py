import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from headrace.core import jobs
from headrace.errors import BadParameter, BadState, Conflict, NotFound
from tests.support.jobs import Json
from tests.support.queue import DONE
from tests.support.uses import ALICE, NOON, OTHER, Uses, sound, wrong


def faults(caught: pytest.ExceptionInfo[BadParameter]) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in caught.value.problems]


def test_a_new_job_can_be_run_and_has_every_default(uses: Uses) -> None:
    made = uses.create(sound())
    assert (made.status, made.generation, made.type, made.revision) == ("RUNNABLE", "2025", "DATAFLOW", 1)
    assert (made.description, made.max_concurrent_runs, made.priority, made.retries) == ("", 1, 0, 0)
    assert (made.created_at, made.updated_at, made.last_execution_status) == (NOON, NOON, None)
    assert (made.condition.worker_type, made.condition.num_worker, made.condition.timeout) == ("DEFAULT", 2, 360)
    bucket = made.condition.script_path.removesuffix("/scripts/")
    assert re.fullmatch(r"dataflow-main-[a-z0-9]{8}", bucket)
    assert made.condition.log_path == f"{bucket}/sparkHistoryLogs/"
    assert uses.create(sound(name="second")).condition == made.condition
    assert uses.get(made.job_id) == made


@pytest.mark.parametrize(
    ("type_", "generation"), [({}, "2025"), ({"type": "DATAFLOW"}, "2025"), ({"type": "VISUAL"}, "2026")]
)
def test_the_type_that_was_sent_tells_the_generation(uses: Uses, type_: Json, generation: str) -> None:
    assert uses.create(sound(**type_)).generation == generation


def test_what_was_sent_is_kept_unchanged(uses: Uses) -> None:
    sent = sound(priority=5, retries=2, maxConcurrentRuns=3, description="설명 \n", unknown={"a": [1.5, None]})
    made = uses.create(sent)
    assert made.definition == sent
    assert (made.priority, made.retries, made.max_concurrent_runs, made.description) == (5, 2, 3, "설명 \n")


def test_every_problem_is_told_and_nothing_kept(uses: Uses) -> None:
    with pytest.raises(BadParameter) as caught:
        uses.create(wrong())
    assert caught.value.problems
    with pytest.raises(BadParameter) as caught:
        uses.create({"name": "a", "nodes": 5, "jobCondition": {"timeout": -1}})
    assert faults(caught) == [("bad-field", "name"), ("bad-field", "nodes"), ("bad-field", "jobCondition.timeout")]
    assert uses.names() == ([], 0)


@pytest.mark.parametrize("description", ["a\0b", "\ud800"])
def test_a_text_that_a_database_can_not_keep_is_a_problem(uses: Uses, description: str) -> None:
    with pytest.raises(BadParameter) as caught:
        uses.create(sound(description=description))
    assert faults(caught) == [("bad-field", "description")]


def test_a_script_is_refused_until_there_are_any(uses: Uses) -> None:
    with pytest.raises(BadParameter, match="SCRIPT can't be run yet"):
        uses.create({"name": "job", "type": "SCRIPT"})


def test_names_are_taken_once_in_an_account_and_free_again_after_a_delete(uses: Uses) -> None:
    first, second = uses.create(sound(name="one")), uses.create(sound(name="two"))
    again: list[Callable[[], object]] = [
        lambda: uses.create(sound(name="one")),
        lambda: uses.update(second.job_id, {"name": "one"}),
    ]
    for refused in again:
        with pytest.raises(BadParameter) as caught:
            refused()
        assert faults(caught) == [("name-taken", "name")]
    Uses(uses.database, OTHER).create(sound(name="one"))
    uses.delete(first.job_id)
    assert uses.update(second.job_id, {"name": "one"}).name == "one"


def test_a_draft_may_be_wrong_and_runs_once_it_is_right(uses: Uses) -> None:
    made = uses.create(wrong(isTemp=True))
    assert made.status == "DRAFT"
    assert uses.update(made.job_id, {"isTemp": True, "description": "a"}).status == "DRAFT"
    with pytest.raises(BadParameter):
        uses.update(made.job_id, {"description": "b"})
    assert uses.get(made.job_id).description == "a"
    assert uses.update(made.job_id, sound()).status == "RUNNABLE"


def test_a_draft_needs_no_nodes_but_a_name(uses: Uses) -> None:
    assert uses.create({"name": "job", "isTemp": True}).status == "DRAFT"
    with pytest.raises(BadParameter):
        uses.create({"isTemp": True})


def test_a_job_that_is_being_edited_runs_again_after_a_clean_change(uses: Uses) -> None:
    made = uses.create(sound())
    assert uses.update(made.job_id, wrong(isTemp=True)).status == "EDITING"
    with pytest.raises(BadState):
        uses.execute(made.job_id)
    assert uses.update(made.job_id, sound(isTemp=True)).status == "RUNNABLE"


def test_a_change_keeps_what_it_leaves_out_and_the_revision_before(uses: Uses) -> None:
    made = uses.create(sound(description="a", maxConcurrentRuns=4, jobCondition={"timeout": 10, "nrn": "n"}))
    later = NOON + timedelta(hours=1)
    changed = uses.update(made.job_id, {"name": "new", "jobCondition": {"numWorker": 5}}, now=later)
    assert (changed.name, changed.description, changed.max_concurrent_runs) == ("new", "a", 4)
    assert (changed.condition.timeout, changed.condition.num_worker, changed.condition.nrn) == (10, 5, "n")
    assert (changed.revision, changed.created_at, changed.updated_at) == (2, NOON, later)
    assert changed.definition is not None
    assert changed.definition["jobCondition"] == {"timeout": 10, "nrn": "n", "numWorker": 5}
    with uses.database.reading() as con:
        assert jobs.definition(con, ALICE, made.job_id, revision=1) == made.definition
        with pytest.raises(NotFound):
            jobs.definition(con, OTHER, made.job_id, revision=1)


def test_a_whole_change_names_the_job_and_its_type(uses: Uses) -> None:
    made = uses.create(sound())
    with pytest.raises(BadParameter) as caught:
        uses.update(made.job_id, {"description": "a"}, partial=False)
    assert faults(caught) == [("bad-field", "name"), ("bad-field", "type")]
    assert uses.update(made.job_id, {"name": "job", "type": "VISUAL"}, partial=False).generation == "2025"


def test_a_change_of_an_older_revision_is_a_conflict(uses: Uses) -> None:
    made = uses.create(sound())
    uses.update(made.job_id, {"description": "a"}, if_match=1)
    with pytest.raises(Conflict, match="revision 2, not 1"):
        uses.update(made.job_id, {"description": "b"}, if_match=1)
    with pytest.raises(Conflict):
        uses.condition(made.job_id, {}, if_match=1)
    assert uses.update(made.job_id, {"description": "c"}).description == "c"


def test_a_condition_is_changed_field_by_field(uses: Uses) -> None:
    made = uses.create(sound())
    changed = uses.condition(
        made.job_id, {"workerType": "DATAFLOW", "timeout": 0, "scriptPath": "own/scripts", "logPath": ""}
    )
    assert (changed.condition.worker_type, changed.condition.timeout) == ("DEFAULT", 0)
    assert (changed.condition.script_path, changed.condition.log_path) == ("own/scripts/", made.condition.log_path)
    assert (changed.revision, changed.status) == (2, "RUNNABLE")
    refused: tuple[object, ...] = ({"numWorker": 11}, {"timeout": 1441}, None, [])
    for sent in refused:
        with pytest.raises(BadParameter):
            uses.condition(made.job_id, sent)
    assert uses.get(made.job_id) == changed


def test_a_deleted_job_is_found_no_more_and_listed_only_as_such(uses: Uses) -> None:
    made = uses.create(sound())
    uses.delete(made.job_id)
    for again in (uses.get, uses.delete, lambda job_id: uses.update(job_id, {})):
        with pytest.raises(NotFound, match=made.job_id):
            again(made.job_id)
    assert (uses.names(), uses.names(status="DELETED")) == (([], 0), (["job"], 1))


def test_a_job_whose_runs_have_not_ended_can_not_be_deleted(uses: Uses) -> None:
    made = uses.create(sound())
    uses.execute(made.job_id)
    with pytest.raises(BadState, match="wait or run"):
        uses.delete(made.job_id)
    claimed = uses.claim()
    with pytest.raises(BadState):
        uses.delete(made.job_id)
    uses.end(claimed, DONE)
    uses.delete(made.job_id)
    assert uses.execution(made.job_id, claimed.execution_id).status == "COMPLETED"


def test_a_job_of_another_account_is_not_there(uses: Uses) -> None:
    made = uses.create(sound())
    other = Uses(uses.database, OTHER)
    assert other.names() == ([], 0)
    for asked in (other.get, other.delete, other.execute, lambda job_id: other.update(job_id, {})):
        with pytest.raises(NotFound):
            asked(made.job_id)


def test_a_list_is_filtered_counted_and_cut_into_pages(uses: Uses) -> None:
    for name in ("Alpha", "beta", "a_b"):
        uses.create(sound(name=name))
    assert sorted(uses.names()[0]) == ["Alpha", "a_b", "beta"]
    assert uses.names(name="ALPH") == (["Alpha"], 1)
    assert uses.names(name="_") == (["a_b"], 1)
    assert uses.names(name="%") == uses.names(name="\0") == uses.names(name="\ud800") == ([], 0)
    assert uses.names(status="UNKNOWN") == ([], 0)
    assert uses.names(limit=0) == ([], 3)
    assert uses.names(page=5) == uses.names(page=10**30) == ([], 3)
    pages = [uses.names(page=page, limit=2)[0] for page in (0, 1)]
    assert [len(page) for page in pages] == [2, 1]
    assert len({name for page in pages for name in page}) == 3


def test_the_status_tells_of_runs_and_of_their_cancel(uses: Uses) -> None:
    made = uses.create(sound())
    execution_id = uses.execute(made.job_id).execution_id
    assert (uses.get(made.job_id).status, uses.get(made.job_id).last_execution_status) == ("RUNNABLE", "READY")
    claimed = uses.claim()
    assert (uses.get(made.job_id).status, uses.get(made.job_id).last_execution_status) == ("RUNNING", "RUNNING")
    assert uses.names(status="RUNNING") == (["job"], 1)
    uses.cancel(made.job_id, execution_id)
    assert (uses.get(made.job_id).status, uses.names(status="RUNNABLE")) == ("STOPPED", ([], 0))
    uses.end(claimed, DONE)
    ended = uses.get(made.job_id)
    assert (ended.status, ended.last_execution_id, ended.last_execution_status) == (
        "RUNNABLE",
        execution_id,
        "COMPLETED",
    )


def test_verify_keeps_nothing_and_tells_everything(uses: Uses) -> None:
    uses.verify(sound())
    with pytest.raises(BadParameter):
        uses.verify(wrong())
    with pytest.raises(BadParameter) as caught:
        uses.verify({})
    assert faults(caught) == [("bad-field", "name"), ("bad-field", "nodes")]
    with pytest.raises(BadParameter) as caught:
        uses.verify(wrong(jobCondition={"scriptPath": "B/s", "logPath": "ok-bucket/../x"}))
    assert faults(caught)[:2] == [("bad-field", "jobCondition.scriptPath"), ("bad-field", "jobCondition.logPath")]
    assert len(faults(caught)) > 2
    assert uses.names() == ([], 0)
